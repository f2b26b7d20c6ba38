#pragma once
// The loops around a kernel: groups of 4 rows × panels of columns × slices. A kernel is a struct:
//   Numbers                                 what it takes of a block besides integers (panel.hpp)
//   run<C>(stream, panel, first_block, n_blocks, sums) → end of the stream it read
// where `stream` is the packed group, C the columns of the panel, and `sums` one vector of 4 rows a
// column.
//
// Weights come from memory once a call. With a single panel every group is streamed from end to end
// (decode). With more, batches of groups, which stay in the second level, meet panel after panel,
// piece by piece (prefill).

#include "bits.hpp"
#include "panel.hpp"
#include "slices.hpp"

namespace pillar::kernels::neon {
namespace {

/// Blocks a step of a kernel's loop; the compiler is told not to unroll it further, or the vectors
/// no longer fit the registers: for one column the registers hold two, and the compiler can put the
/// unpacking of one among the multiplications of the other.
template <std::size_t C>
inline constexpr std::size_t blocks_a_step = C == 1 ? 2 : 1;

inline constexpr std::size_t max_batch_groups = 16;
/// Weights of a batch: four cores share the 1 MB of a Cortex-A72's second level.
inline constexpr std::size_t batch_bytes = 128 * 1024;

/// Panel of columns [column, column + C).
template <std::size_t C>
inline void store_group(const ProductView& p, std::size_t column, std::size_t group,
                        const Floats* sums) noexcept {
    const std::size_t row = group * group_rows;
    for (std::size_t c = 0; c < C; ++c)
        store_first(p.y + (column + c) * p.y_stride + row, p.n_rows - row, sums[c]);
}

/// All blocks that the product reads of the panel are prepared at once.
template <class Kernel, std::size_t C>
void multiply_streaming(const ProductView& p, std::size_t column, std::size_t group_begin,
                        std::size_t group_end) noexcept {
    using Numbers = typename Kernel::Numbers;
    Numbers numbers[stream_capacity];
    const std::size_t first = p.block_begin[0];
    const auto x =
        view_panel(p, column * p.n_blocks + first * C, count_read_blocks(p) * C, numbers);
    for (std::size_t g = group_begin; g < group_end; ++g) {
        const std::byte* stream = p.groups + g * p.group_bytes;
        SliceTree<C> tree(C);
        for (std::size_t s = 0; s < p.n_slices; ++s) {
            stream = Kernel::template run<C>(stream, x.from((p.block_begin[s] - first) * C),
                                             first_block(p.slices[s]), count_blocks(p.slices[s]),
                                             tree.begin(s));
            tree.end(s);
        }
        store_group<C>(p, column, g, tree.total());
    }
}

/// A few blocks at a time for up to max_batch_groups groups. Pieces end where super-blocks end.
template <class Kernel, std::size_t C>
void multiply_in_pieces(const ProductView& p, std::size_t column, std::size_t group_begin,
                        std::size_t group_end) noexcept {
    using Numbers = typename Kernel::Numbers;
    constexpr std::size_t piece = piece_capacity / C / 8 * 8; // super-blocks have 8 blocks
    Numbers numbers[piece * C];
    const std::size_t n_groups = group_end - group_begin;
    const std::byte* streams[max_batch_groups];
    for (std::size_t g = 0; g < n_groups; ++g)
        streams[g] = p.groups + (group_begin + g) * p.group_bytes;

    SliceTree<max_batch_groups * C> tree(n_groups * C);
    for (std::size_t s = 0; s < p.n_slices; ++s) {
        Floats* sums = tree.begin(s);
        const std::size_t first = first_block(p.slices[s]);
        const std::size_t end = first + count_blocks(p.slices[s]);
        for (std::size_t b = first; b < end;) {
            const std::size_t n = smaller(end, (b / piece + 1) * piece) - b;
            const std::size_t at = column * p.n_blocks + (p.block_begin[s] + (b - first)) * C;
            const auto x = view_panel(p, at, n * C, numbers);
            for (std::size_t g = 0; g < n_groups; ++g)
                streams[g] = Kernel::template run<C>(streams[g], x, b, n, sums + g * C);
            b += n;
        }
        tree.end(s);
    }
    for (std::size_t g = 0; g < n_groups; ++g)
        store_group<C>(p, column, group_begin + g, tree.total() + g * C);
}

/// One panel, wherever it begins.
template <class Kernel, std::size_t C>
void multiply_panel(const ProductView& p, std::size_t column, std::size_t group_begin,
                    std::size_t group_end) noexcept {
    if (p.n_columns == C && count_read_blocks(p) * C <= stream_capacity)
        multiply_streaming<Kernel, C>(p, column, group_begin, group_end);
    else
        multiply_in_pieces<Kernel, C>(p, column, group_begin, group_end);
}

/// Format::multiply of a format whose kernel is `Kernel`.
template <class Kernel>
void multiply_with(const ProductView& p) noexcept {
    static_assert(panel_columns == 4);
    constexpr decltype(&multiply_panel<Kernel, 1>) multiply[] = {
        multiply_panel<Kernel, 1>, multiply_panel<Kernel, 2>, multiply_panel<Kernel, 3>,
        multiply_panel<Kernel, 4>};
    std::size_t batch = p.group_end - p.group_begin;
    if (p.n_columns > panel_columns || count_read_blocks(p) * p.n_columns > stream_capacity)
        batch = smaller(max_batch_groups, batch_bytes / (p.group_bytes + 1) + 1);
    for (std::size_t g = p.group_begin; g < p.group_end; g += batch) {
        const std::size_t end = smaller(g + batch, p.group_end);
        for (std::size_t c = 0; c < p.n_columns; c += panel_columns)
            multiply[smaller(panel_columns, p.n_columns - c) - 1](p, c, g, end);
    }
}

} // namespace
} // namespace pillar::kernels::neon
