#pragma once
// A panel: the activations of up to 16 columns over some blocks, as they lie (Activations): block
// after block, within a block column after column. Beside them goes what the kernel's format makes
// of each block's sums.

#include "format.hpp"
#include "simd.hpp"

namespace pillar::kernels::x86 {
namespace {

inline constexpr std::size_t extra_capacity = 8192; ///< blocks × columns: 16 rows of 16384

/// How many columns a kernel runs over.
struct One {
    static constexpr std::size_t capacity = 1;
    static constexpr std::size_t count = 1;
};
/// A full panel where there are registers for its sums: every step is written out.
struct Full {
    static constexpr std::size_t capacity = panel_columns;
    static constexpr std::size_t count = panel_columns;
};
struct Several {
    static constexpr std::size_t capacity = panel_columns;
    std::size_t count;
};

/// step(c) for each column.
template <class Columns, class Step>
[[gnu::always_inline]] inline void for_each_column(Columns columns, const Step& step) noexcept {
    if constexpr (std::is_same_v<Columns, Full>)
        unrolled<panel_columns>(step);
    else
        for (std::size_t c = 0; c < columns.count; ++c) step(c);
}

/// Where a kernel reads: for each block, for each column.
template <class Extra>
struct PanelView {
    const std::int8_t* q; ///< (blocks, columns, 32)
    const float* dx;      ///< (blocks, columns)
    const Extra* extra;   ///< (blocks, columns) Kernel::extra of the block

    void skip(std::size_t n) noexcept {
        q += n * block_size;
        dx += n;
        extra += n;
    }
};

/// Room for Kernel::extra of each block.
template <class Extra>
struct Extras {
    alignas(64) Extra value[extra_capacity];
};

/// Blocks [first, first + n) of the panel of columns [column, column + width).
template <class Kernel>
inline PanelView<typename Kernel::Extra>
view_panel(Extras<typename Kernel::Extra>& extras, const ProductView& p, std::size_t column,
           std::size_t width, std::size_t first, std::size_t n) noexcept {
    const std::size_t from = column * p.n_blocks + first * width;
    for (std::size_t i = 0; i < n * width; ++i)
        extras.value[i] =
            Kernel::extra(p.scale[from + i], p.sum[from + i], p.half_sum + 2 * (from + i));
    return {p.q + from * block_size, p.scale + from, extras.value};
}

} // namespace
} // namespace pillar::kernels::x86
