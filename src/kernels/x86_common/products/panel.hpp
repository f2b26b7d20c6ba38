#pragma once
// A panel: the activations of up to 16 columns over some blocks, as they lie (Activations): block
// after block, within a block column after column. Beside them goes what the kernel's format makes
// of each block's sums.

#include "x86_common/format.hpp"
#include "x86_common/simd.hpp"

namespace pillar::kernels::x86 {
namespace {

/// Blocks × columns that a panel has room for: 16 columns of 16384 activations, or one where each
/// block has tables, which should stay in a second-level cache.
template <class Extra>
inline constexpr std::size_t extra_capacity = sizeof(Extra) <= 8 ? 8192 : 512;

// How many columns a kernel runs over, and how many lie side by side in their panel (stride).
struct One {
    static constexpr std::size_t capacity = 1;
    static constexpr std::size_t count = 1;
    static constexpr std::size_t stride = 1;
};
/// A full panel where there are registers for its sums: every step is written out.
struct Full {
    static constexpr std::size_t capacity = panel_columns;
    static constexpr std::size_t count = panel_columns;
    static constexpr std::size_t stride = panel_columns;
};
/// N columns of a panel that is not full; their sums are in registers.
template <std::size_t N>
struct Few {
    static constexpr std::size_t capacity = N;
    static constexpr std::size_t count = N;
    std::size_t stride;
};
/// A whole panel, whose sums are in memory.
struct Several {
    static constexpr std::size_t capacity = panel_columns;
    std::size_t count;
    std::size_t stride = count;
};
/// A whole panel and tile_groups groups of rows, so that an activation read from memory meets all
/// of them. The sums are in memory, group after group.
struct InTiles {
    static constexpr std::size_t capacity = tile_groups * panel_columns;
    std::size_t count;
    std::size_t group_bytes; ///< from one group to the next
    std::size_t stride = count;
};
template <class Columns>
inline constexpr bool is_written_out = false;
template <>
inline constexpr bool is_written_out<Full> = true;
template <std::size_t N>
inline constexpr bool is_written_out<Few<N>> = true;

/// step(c) for each column.
template <class Columns, class Step>
[[gnu::always_inline]] inline void for_each_column(Columns columns, const Step& step) noexcept {
    if constexpr (is_written_out<Columns>)
        unrolled<Columns::capacity>(step);
    else
        for (std::size_t c = 0; c < columns.count; ++c) step(c);
}

/// step(number of columns, first column) for one tile after another.
template <class Step>
[[gnu::always_inline]] inline void for_each_tile(InTiles columns, const Step& step) noexcept {
    std::size_t c = 0;
    for (; c + tile_columns <= columns.count; c += tile_columns)
        step(std::integral_constant<std::size_t, tile_columns>{}, c);
    for (; c < columns.count; ++c) step(std::integral_constant<std::size_t, 1>{}, c);
}

/// Where a kernel reads: for each block, for each column of the panel.
template <class Extra>
struct PanelView {
    const std::int8_t* q; ///< (blocks, stride, 32)
    const float* dx;      ///< (blocks, stride)
    const Extra* extra;   ///< (blocks, stride) Kernel::extra of the block

    void skip(std::size_t n) noexcept {
        q += n * block_size;
        dx += n;
        extra += n;
    }
};

/// Room for Kernel::extra of each block.
template <class Extra>
struct Extras {
    alignas(64) Extra value[extra_capacity<Extra>];
};

/// Blocks [first, first + n) of columns [offset, offset + columns.count) of the panel whose first
/// column is `panel`.
template <class Kernel, class Columns>
inline PanelView<typename Kernel::Extra>
view_panel(Extras<typename Kernel::Extra>& extras, const ProductView& p, std::size_t panel,
           std::size_t offset, Columns columns, std::size_t first, std::size_t n) noexcept {
    const std::size_t from = panel * p.n_blocks + first * columns.stride + offset;
    for (std::size_t b = 0; b < n; ++b)
        for (std::size_t c = 0; c < columns.count; ++c) {
            const std::size_t i = b * columns.stride + c;
            extras.value[i] = Kernel::extra(p.q + (from + i) * block_size, p.scale[from + i],
                                            p.sum[from + i], p.half_sum + 2 * (from + i));
        }
    return {p.q + from * block_size, p.scale + from, extras.value};
}

} // namespace
} // namespace pillar::kernels::x86
