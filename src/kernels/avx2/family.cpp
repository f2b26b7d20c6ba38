// The AVX2 family: x86-64 with AVX2, FMA and F16C. Rows lie across lanes; weights are repacked into
// groups of 8 rows (16 for float formats) that are read as one stream.

#include "../families.hpp"
#include "format.hpp"
#include "operators.hpp"

#include <cpuid.h>

namespace pillar::kernels {
namespace avx2 {
namespace {

bool has_f16c() noexcept { // clang 14 has no name for it in __builtin_cpu_supports
    unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
    return __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & bit_F16C) != 0;
}

bool supported() noexcept {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c();
}

const Format& format_of(quant::Type type) noexcept {
    switch (type) {
    case quant::Type::f32:
        return f32_format;
    case quant::Type::f16:
        return f16_format;
    case quant::Type::bf16:
        return bf16_format;
    case quant::Type::q4_0:
        return q4_0_format;
    case quant::Type::q4_1:
        return q4_1_format;
    case quant::Type::q5_0:
        return q5_0_format;
    case quant::Type::q5_1:
        return q5_1_format;
    case quant::Type::q8_0:
        return q8_0_format;
    case quant::Type::q2_k:
        return q2_k_format;
    case quant::Type::q3_k:
        return q3_k_format;
    case quant::Type::q4_k:
        return q4_k_format;
    case quant::Type::q5_k:
        return q5_k_format;
    case quant::Type::q6_k:
        return q6_k_format;
    case quant::Type::iq4_nl:
        return iq4_nl_format;
    case quant::Type::iq4_xs:
        return iq4_xs_format;
    }
    __builtin_unreachable();
}

std::size_t rows_per_group(quant::Type type) noexcept {
    return format_of(type).rows;
}

std::size_t group_bytes(const MatrixShape& shape) noexcept {
    const Format& format = format_of(shape.type);
    const RowCounts counts = count_row(shape);
    return counts.n_segments * format.segment_bytes + counts.n_blocks * format.block_bytes +
           counts.n_columns * format.column_bytes;
}

void pack_group(const MatrixShape& shape, std::span<const std::byte* const> rows,
                std::byte* group) noexcept {
    format_of(shape.type).pack(view_pack(shape, rows, group));
}

void multiply(const Matrix& w, const Activations& x, float* y, std::size_t y_stride,
              std::size_t group_begin, std::size_t group_end) noexcept {
    const ProductView product = view_product(w, x, y, y_stride, group_begin, group_end);
    format_of(product.type).multiply(product);
}

} // namespace
} // namespace avx2

constinit const Family avx2_family = {.name = "avx2",
                                      .float_activations = false,
                                      .panel_columns = avx2::panel_columns,
                                      .supported = avx2::supported,
                                      .rows_per_group = avx2::rows_per_group,
                                      .group_bytes = avx2::group_bytes,
                                      .pack_group = avx2::pack_group,
                                      .multiply = avx2::multiply,
                                      .quantize = avx2::quantize,
                                      .rms_norm = avx2::rms_norm,
                                      .rope = avx2::rope,
                                      .swiglu = avx2::swiglu,
                                      .add = avx2::add,
                                      .attend_page = avx2::attend_page,
                                      .combine = avx2::combine,
                                      .finish_attention = avx2::finish_attention,
                                      .store_key = avx2::store_key,
                                      .store_value = avx2::store_value};

} // namespace pillar::kernels
