// The tables of the two plain families, which differ in the product alone.

#include "families.hpp"
#include "operators.hpp"

#include <cstring>

namespace pillar::kernels {

namespace reference {

namespace {

bool always() noexcept {
    return true;
}

void multiply_integer_family(const Matrix& w, const Activations& x, float* y, std::size_t y_stride,
                             std::size_t group_begin, std::size_t group_end) noexcept {
    const auto product = quant::is_float(w.shape().type) ? multiply_floats : multiply_integers;
    product(w, x, y, y_stride, group_begin, group_end);
}

constexpr Family plain_family(std::string_view name, bool float_activations,
                              decltype(Family::multiply) product) {
    return {.name = name,
            .float_activations = float_activations,
            .panel_columns = 1,
            .supported = always,
            .rows_per_group = rows_per_group,
            .group_bytes = group_bytes,
            .pack_group = pack_group,
            .multiply = product,
            .quantize = quantize,
            .rms_norm = rms_norm,
            .sum_of_squares = sum_of_squares,
            .rope = rope,
            .swiglu = swiglu,
            .geglu = geglu,
            .soft_cap = soft_cap,
            .swiglu_clamped = swiglu_clamped,
            .add = add,
            .add_scaled = add_scaled,
            .attend_page = attend_page,
            .combine = combine,
            .finish_attention = finish_attention,
            .store_key = store_key,
            .store_value = store_value};
}

} // namespace

std::size_t rows_per_group(quant::Type) noexcept {
    return 1;
}

std::size_t group_bytes(const MatrixShape& shape) noexcept {
    return shape.file_blocks().count * quant::info(shape.type).block_bytes;
}

void pack_group(const MatrixShape& shape, std::span<const std::byte* const> rows,
                std::byte* group) noexcept {
    const std::size_t n_bytes = group_bytes(shape);
    if (n_bytes > 0) std::memcpy(group, rows[0], n_bytes);
}

} // namespace reference

const Family reference_family =
    reference::plain_family("reference", true, reference::multiply_floats);
const Family integer_family =
    reference::plain_family("integer", false, reference::multiply_integer_family);

} // namespace pillar::kernels
