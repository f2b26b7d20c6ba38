// Plain views of matrices and activations.

#include "views.hpp"

#include <algorithm>

namespace pillar::kernels {

ProductView view_product(const Matrix& w, const Activations& x, float* y, std::size_t y_stride,
                         std::size_t group_begin, std::size_t group_end) noexcept {
    const MatrixShape& shape = w.shape();
    return {.type = shape.type,
            .groups = w.group(0),
            .group_bytes = w.group_bytes(),
            .n_rows = shape.n_rows,
            .slices = shape.slices.data(),
            .n_slices = shape.slices.size(),
            .block_begin = x.layout.block_begin.data(),
            .n_blocks = x.layout.n_blocks,
            .panel_columns = x.panel_columns,
            .q = x.q.data(),
            .scale = x.scale.data(),
            .sum = x.sum.data(),
            .half_sum = x.half_sum.data(),
            .x = x.x.data(),
            .x_stride = x.x_stride,
            .origin = x.layout.origin,
            .n_columns = x.n_columns(),
            .y = y,
            .y_stride = y_stride,
            .group_begin = group_begin,
            .group_end = group_end};
}

PackView view_pack(const MatrixShape& shape, std::span<const std::byte* const> rows,
                   std::byte* group) noexcept {
    return {.slices = shape.slices.data(),
            .n_slices = shape.slices.size(),
            .first_file_block = shape.file_blocks().first,
            .rows = rows.data(),
            .group = group};
}

RowCounts count_row(const MatrixShape& shape) noexcept {
    const std::size_t blocks_a_file_block =
        std::max<std::size_t>(quant::info(shape.type).block_weights / block_size, 1);
    RowCounts counts{};
    for (const Slice& slice : shape.slices) {
        if (slice.empty()) continue;
        const std::size_t first = slice.first_block();
        const std::size_t last = first + slice.n_blocks() - 1;
        counts.n_columns += slice.end - slice.begin;
        counts.n_blocks += last - first + 1;
        counts.n_segments += last / blocks_a_file_block - first / blocks_a_file_block + 1;
    }
    return counts;
}

QuantizeView view_quantize(Activations& x, std::size_t column) noexcept {
    const std::size_t first = x.block_at(column, 0);
    return {.x = x.column(column),
            .origin = x.layout.origin,
            .slices = x.layout.slices.data(),
            .block_begin = x.layout.block_begin.data(),
            .q = x.q.data() + first * block_size,
            .scale = x.scale.data() + first,
            .sum = x.sum.data() + first,
            .half_sum = x.half_sum.data() + 2 * first,
            .stride = x.panel_of(column).width};
}

} // namespace pillar::kernels
