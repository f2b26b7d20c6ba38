// A rank's slice of a weight matrix: sizes, packing by the family, and the call into it.

#include "pillar/kernels/matrix.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/core/sizes.hpp"
#include "pillar/kernels/family.hpp"

#include <bit>
#include <utility>

namespace pillar::kernels {

namespace {

constexpr std::size_t alignment = 64;

void expect_sound(const MatrixShape& shape) {
    expects(std::has_single_bit(shape.slices.size()), "a power of two slices");
    expects(shape.n_columns % quant::info(shape.type).block_weights == 0, "rows of whole blocks");
    std::size_t column = shape.slices.front().begin;
    for (const Slice& slice : shape.slices) {
        expects(slice.begin == column && slice.end >= column, "slices are adjacent and in order");
        column = slice.end;
    }
    expects(column <= shape.n_columns, "slices lie within the row");
}

} // namespace

MatrixShape::FileBlocks MatrixShape::file_blocks() const noexcept {
    const std::size_t block_weights = quant::info(type).block_weights;
    const std::size_t first = slices.front().begin / block_weights;
    if (slices.front().begin == slices.back().end) return {first, 0};
    return {first, ceil_div(slices.back().end, block_weights) - first};
}

std::size_t Matrix::packed_bytes(const Family& family, const MatrixShape& shape) {
    expects(family.supported(), "a family that this CPU can run"); // else an illegal instruction
    const std::size_t n_groups = ceil_div(shape.n_rows, family.rows_per_group(shape.type));
    const auto size = checked_mul(n_groups, family.group_bytes(shape));
    const auto rounded = size ? checked_round_up(*size, alignment) : std::nullopt;
    expects(rounded.has_value(), "the matrix fits the address space");
    return *rounded;
}

Matrix::Matrix(const Family& family, MatrixShape shape, std::span<std::byte> memory)
    : family_(&family), shape_(std::move(shape)), data_(memory.data()) {
    expect_sound(shape_);
    expects(memory.size() >= packed_bytes(family, shape_), "the matrix has room");
    n_groups_ = ceil_div(shape_.n_rows, family.rows_per_group(shape_.type));
    group_bytes_ = family.group_bytes(shape_);
}

Matrix::Matrix(const Family& family, MatrixShape shape) {
    expect_sound(shape);
    AlignedBuffer<std::byte> own(packed_bytes(family, shape));
    *this = Matrix(family, std::move(shape), own.span());
    own_ = std::move(own);
}

void Matrix::pack_group(std::size_t g, std::span<const std::byte* const> rows) {
    expects(g < n_groups_, "a group of the matrix");
    expects(rows.size() == family_->rows_per_group(shape_.type), "as many rows as a group has");
    family_->pack_group(shape_, rows, group(g));
}

void multiply(const Matrix& w, const Activations& x, float* y, std::size_t y_stride,
              std::size_t group_begin, std::size_t group_end) noexcept {
    w.family().multiply(w, x, y, y_stride, group_begin, group_end);
}

} // namespace pillar::kernels
