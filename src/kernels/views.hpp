#pragma once
// What an instruction set's kernels need of matrices and activations, as plain pointers and counts.
// The views are made by views.cpp, compiled for the baseline processor, so that a file compiled for
// a newer one calls no inline function of a shared header: the linker may keep any copy of those.

#include "pillar/kernels/family.hpp"

namespace pillar::kernels {

/// One product y = W·x over groups [group_begin, group_end) and columns [0, n_columns).
struct ProductView {
    quant::Type type;
    const std::byte* groups; ///< group g begins at g · group_bytes
    std::size_t group_bytes;
    std::size_t n_rows;
    const Slice* slices;
    std::size_t n_slices; ///< a power of two

    const std::size_t* block_begin; ///< (n_slices + 1): first activation block of each slice
    std::size_t n_blocks;           ///< activation blocks a column
    std::size_t panel_columns;    ///< panel p has columns [p, p + 1) · panel_columns of n_columns
    const std::int8_t* q;         ///< for each panel (n_blocks, columns of the panel, 32)
    const float* scale;           ///< for each panel (n_blocks, columns of the panel)
    const std::int32_t* sum;      ///< likewise
    const std::int16_t* half_sum; ///< likewise, two each
    const float* x;               ///< (columns, x_stride), x[0] is the tensor's column `origin`
    std::size_t x_stride;
    std::size_t origin;

    std::size_t n_columns;
    float* y; ///< (columns, y_stride)
    std::size_t y_stride;
    std::size_t group_begin, group_end;
};
ProductView view_product(const Matrix& w, const Activations& x, float* y, std::size_t y_stride,
                         std::size_t group_begin, std::size_t group_end) noexcept;

/// One group to pack.
struct PackView {
    const Slice* slices;
    std::size_t n_slices;
    std::size_t first_file_block; ///< rows[r] points to this block of the file's row
    const std::byte* const* rows; ///< (rows a group), nullptr: no such row
    std::byte* group;
};
PackView view_pack(const MatrixShape& shape, std::span<const std::byte* const> rows,
                   std::byte* group) noexcept;

/// How much a row of the slices holds, in the units that layouts are made of.
struct RowCounts {
    std::size_t n_columns; ///< exact columns
    std::size_t n_blocks;  ///< blocks of 32 the slices touch; one shared by two slices counts twice
    std::size_t n_segments; ///< runs of such blocks within one slice and one block of the file
};
RowCounts count_row(const MatrixShape& shape) noexcept;

/// One column of activations to quantise.
struct QuantizeView {
    const float* x; ///< x[0] is the tensor's column `origin`
    std::size_t origin;
    const Slice* slices;
    const std::size_t* block_begin; ///< (n_slices + 1)
    // Block b of the column is at [b · stride]; q has 32 elements a block, half_sum two.
    std::int8_t* q;
    float* scale;
    std::int32_t* sum;
    std::int16_t* half_sum;
    std::size_t stride; ///< columns of the panel
};
QuantizeView view_quantize(Activations& x, std::size_t column) noexcept;

} // namespace pillar::kernels
