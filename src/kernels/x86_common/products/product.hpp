#pragma once
// The loops around a kernel: groups of rows × panels of columns × slices. A kernel is a struct:
//   vectors                           of rows a group
//   Extra, extra(q, dx, sum, half_sum)
//                                     what the panel keeps of a block and its sums (panel.hpp)
//   run(stream, panel, first_block, n_blocks, columns, sums) → end of the stream it read
//   in_tiles                          whether it takes several groups at a time (InTiles)
// where `stream` is the packed group and `sums` has its vectors of rows, column after column. A
// panel that is not full is done in parts of 8, 4, 2 and 1 columns, whose sums fit the registers.
//
// Weights come from memory once a call: the groups of one panel are streamed from end to end
// (decode); for several panels, batches of groups that stay in the second-level cache meet panel
// after panel (prefill).

#include "bits.hpp"
#include "panel.hpp"
#include "slices.hpp"

namespace pillar::kernels::x86 {
namespace {

inline constexpr std::size_t max_batch_groups = 16;
inline constexpr std::size_t batch_bytes = 384 * 1024; ///< of weights: part of a second-level cache

/// Columns [offset, offset + count) of the panel whose first column is `panel`, and groups
/// [group_begin, group_end).
template <class Columns>
struct Tile {
    const ProductView& p;
    std::size_t panel, offset;
    Columns columns;
    std::size_t group_begin, group_end;
};

template <std::size_t vectors, class Columns>
inline void store_group(const Tile<Columns>& tile, std::size_t group, const Floats* sums) noexcept {
    for (std::size_t c = 0; c < tile.columns.count; ++c) {
        float* const y = tile.p.y + (tile.panel + tile.offset + c) * tile.p.y_stride;
        for (std::size_t v = 0; v < vectors; ++v) {
            const std::size_t row = (group * vectors + v) * lanes;
            if (row < tile.p.n_rows)
                store_first(y + row, tile.p.n_rows - row, sums[c * vectors + v]);
        }
    }
}

template <class Columns>
inline constexpr std::size_t groups_at_once = std::is_same_v<Columns, InTiles> ? tile_groups : 1;

/// All blocks that the product reads of the panel have room for their extras.
template <class Kernel, class Columns>
void multiply_streaming(const Tile<Columns>& tile) noexcept {
    const ProductView& p = tile.p;
    Extras<typename Kernel::Extra> extras;
    const std::size_t first = p.block_begin[0];
    const auto x = view_panel<Kernel>(extras, p, tile.panel, tile.offset, tile.columns, first,
                                      count_read_blocks(p));
    const std::size_t n_sums = tile.columns.count * Kernel::vectors; // of a group
    for (std::size_t g = tile.group_begin; g < tile.group_end; g += groups_at_once<Columns>) {
        const std::byte* stream = p.groups + g * p.group_bytes;
        SliceTree<Columns::capacity * Kernel::vectors> tree(groups_at_once<Columns> * n_sums);
        for (std::size_t s = 0; s < p.n_slices; ++s) {
            const std::size_t at = (p.block_begin[s] - first) * tile.columns.stride;
            stream = Kernel::run(stream, {x.q + at * block_size, x.dx + at, x.extra + at},
                                 first_block(p.slices[s]), count_blocks(p.slices[s]), tile.columns,
                                 tree.begin(s));
            tree.end(s);
        }
        for (std::size_t i = 0; i < groups_at_once<Columns>; ++i)
            store_group<Kernel::vectors>(tile, g + i, tree.total() + i * n_sums);
    }
}

/// Longer rows: as many blocks at a time as have room, for all groups of a batch. Pieces end where
/// super-blocks end.
template <class Kernel, class Columns>
void multiply_in_pieces(const Tile<Columns>& tile) noexcept {
    const ProductView& p = tile.p;
    using Extra = typename Kernel::Extra;
    const std::size_t n_sums = tile.columns.count * Kernel::vectors; // of a group
    const std::size_t n_groups = tile.group_end - tile.group_begin;
    const std::size_t piece =
        extra_capacity<Extra> / tile.columns.stride / 8 * 8; // super-blocks have 8 blocks
    static_assert(extra_capacity<Extra> / (Columns::capacity == 1 ? 1 : panel_columns) >= 8);
    const std::byte* streams[max_batch_groups];
    for (std::size_t g = 0; g < n_groups; ++g)
        streams[g] = p.groups + (tile.group_begin + g) * p.group_bytes;

    Extras<Extra> extras;
    constexpr std::size_t capacity = Columns::capacity / groups_at_once<Columns> * Kernel::vectors;
    SliceTree<max_batch_groups * capacity> tree(n_groups * n_sums);
    for (std::size_t s = 0; s < p.n_slices; ++s) {
        Floats* sums = tree.begin(s);
        const std::size_t first = first_block(p.slices[s]);
        const std::size_t end = first + count_blocks(p.slices[s]);
        for (std::size_t b = first; b < end;) {
            const std::size_t n = smaller(end, (b / piece + 1) * piece) - b;
            const auto x = view_panel<Kernel>(extras, p, tile.panel, tile.offset, tile.columns,
                                              p.block_begin[s] + (b - first), n);
            for (std::size_t g = 0; g < n_groups; g += groups_at_once<Columns>)
                streams[g] = Kernel::run(streams[g], x, b, n, tile.columns, sums + g * n_sums);
            b += n;
        }
        tree.end(s);
    }
    for (std::size_t g = 0; g < n_groups; ++g)
        store_group<Kernel::vectors>(tile, tile.group_begin + g, tree.total() + g * n_sums);
}

template <class Kernel, class Columns>
void multiply_part(const Tile<Columns>& tile) noexcept {
    if (count_read_blocks(tile.p) * tile.columns.stride <= extra_capacity<typename Kernel::Extra>)
        multiply_streaming<Kernel>(tile);
    else
        multiply_in_pieces<Kernel>(tile);
}

/// A panel whose sums are in memory: in tiles as far as there are groups for them.
template <class Kernel>
void multiply_several(const ProductView& p, std::size_t panel, std::size_t width,
                      std::size_t group_begin, std::size_t group_end) noexcept {
    if constexpr (Kernel::in_tiles) {
        const std::size_t end = group_end - (group_end - group_begin) % tile_groups;
        const InTiles columns{.count = width, .group_bytes = p.group_bytes};
        if (end > group_begin)
            multiply_part<Kernel>(Tile<InTiles>{p, panel, 0, columns, group_begin, end});
        group_begin = end;
    }
    if (group_end > group_begin)
        multiply_part<Kernel>(Tile<Several>{p, panel, 0, {.count = width}, group_begin, group_end});
}

/// Up to this many columns are worth parts of their own.
inline constexpr std::size_t max_few = panel_in_registers ? panel_columns - 1 : 4;

/// A panel of `width` columns and groups [group_begin, group_end), in one part if that can be.
template <class Kernel>
void multiply_panel(const ProductView& p, std::size_t panel, std::size_t width,
                    std::size_t group_begin, std::size_t group_end) noexcept {
    if (width == 1)
        return multiply_part<Kernel>(Tile<One>{p, panel, 0, {}, group_begin, group_end});
    if (width > max_few) {
        if constexpr (panel_in_registers)
            return multiply_part<Kernel>(Tile<Full>{p, panel, 0, {}, group_begin, group_end});
        else
            return multiply_several<Kernel>(p, panel, width, group_begin, group_end);
    }
    std::size_t offset = 0;
    const auto add_part = [&]<std::size_t N>(Few<N> columns) {
        if ((width & N) == 0) return;
        multiply_part<Kernel>(Tile<Few<N>>{p, panel, offset, columns, group_begin, group_end});
        offset += N;
    };
    if constexpr (panel_in_registers) add_part(Few<8>{width});
    add_part(Few<4>{width});
    add_part(Few<2>{width});
    add_part(Few<1>{width});
}

/// Groups that one part after another passes over.
template <class Kernel>
std::size_t groups_a_batch(const ProductView& p) noexcept {
    const std::size_t width = smaller(p.panel_columns, p.n_columns);
    const bool in_one_part = width > max_few || (width & (width - 1)) == 0;
    if (p.n_columns == width && in_one_part &&
        count_read_blocks(p) * width <= extra_capacity<typename Kernel::Extra>)
        return p.group_end - p.group_begin;
    const std::size_t n = batch_bytes / (p.group_bytes + 1); // nothing but empty slices: 0 bytes
    if (n >= max_batch_groups) return max_batch_groups;
    if (!panel_in_registers && n > tile_groups) return n - n % tile_groups;
    return n == 0 ? 1 : n;
}

/// Format::multiply of a format whose kernel is `Kernel`.
template <class Kernel>
void multiply_with(const ProductView& p) noexcept {
    if (p.group_begin == p.group_end) return;
    const std::size_t batch = groups_a_batch<Kernel>(p);
    for (std::size_t g = p.group_begin; g < p.group_end; g += batch) {
        const std::size_t end = smaller(g + batch, p.group_end);
        for (std::size_t c = 0; c < p.n_columns; c += p.panel_columns) {
            const std::size_t width = smaller(p.panel_columns, p.n_columns - c);
            multiply_panel<Kernel>(p, c, width, g, end);
        }
    }
}

/// The same for one column and a kernel that does no more.
template <class Kernel>
void multiply_column_with(const ProductView& p) noexcept {
    const std::size_t batch = groups_a_batch<Kernel>(p);
    for (std::size_t g = p.group_begin; g < p.group_end; g += batch)
        multiply_part<Kernel>(Tile<One>{p, 0, 0, {}, g, smaller(g + batch, p.group_end)});
}

} // namespace
} // namespace pillar::kernels::x86
