#pragma once
// A panel: the activations of up to 16 columns over some blocks, as they lie (Activations): block
// after block, within a block column after column. Beside them goes what the kernel's format makes
// of each block's sums.

#include "format.hpp"
#include "simd.hpp"

namespace pillar::kernels::avx2 {
namespace {

inline constexpr std::size_t panel_blocks = 512; ///< blocks × columns: 16 KB, half of a small L1
inline constexpr std::size_t extra_capacity = 4096; ///< blocks × columns: one row of 131072

/// How many columns a kernel runs over. `One` is known to the compiler: sums stay in registers.
struct One {
    static constexpr std::size_t capacity = 1;
    static constexpr std::size_t count = 1;
};
struct Several {
    static constexpr std::size_t capacity = panel_columns;
    std::size_t count;
};

/// Where a kernel reads: for each block, for each column.
struct PanelView {
    const std::int8_t* q;      ///< (blocks, columns, 32)
    const float* dx;           ///< (blocks, columns)
    const std::int32_t* extra; ///< (blocks, columns) Kernel::extra of the block: 32 bits of sums
};

/// Room for Kernel::extra of each block.
struct Extras {
    alignas(64) std::int32_t value[extra_capacity];
};

/// Blocks [first, first + n) of the panel of columns [column, column + width).
template <class Kernel>
inline PanelView view_panel(Extras& extras, const ProductView& p, std::size_t column,
                            std::size_t width, std::size_t first, std::size_t n) noexcept {
    const std::size_t from = column * p.n_blocks + first * width;
    for (std::size_t i = 0; i < n * width; ++i)
        extras.value[i] =
            Kernel::extra(p.scale[from + i], p.sum[from + i], p.half_sum + 2 * (from + i));
    return {p.q + from * block_size, p.scale + from, extras.value};
}

} // namespace
} // namespace pillar::kernels::avx2
