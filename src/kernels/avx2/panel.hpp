#pragma once
// A panel: the activations of up to 16 columns over some blocks, put side by side in the order in
// which the kernels read them. With one column the activations lie like that already.

#include "../views.hpp"
#include "simd.hpp"

namespace pillar::kernels::avx2 {
namespace {

inline constexpr std::size_t panel_columns = 16;
inline constexpr std::size_t panel_capacity = 512; ///< blocks × columns: 16 KB, half of a small L1
inline constexpr std::size_t column_capacity = 4096; ///< blocks of a single column: rows of 131072

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

struct Panel {
    alignas(64) std::int8_t q[panel_capacity * block_size];
    alignas(64) float dx[panel_capacity];
    alignas(64) std::int32_t extra[column_capacity];
};

/// Lay out blocks [first, first + n) of columns [column, column + columns.count) in `panel`.
template <class Kernel>
inline PanelView fill_panel(Panel& panel, const ProductView& p, std::size_t column, One,
                            std::size_t first, std::size_t n) noexcept {
    const std::size_t from = column * p.n_blocks + first;
    for (std::size_t i = 0; i < n; ++i)
        panel.extra[i] =
            Kernel::extra(p.scale[from + i], p.sum[from + i], p.half_sum + 2 * (from + i));
    return {p.q + from * block_size, p.scale + from, panel.extra};
}

template <class Kernel>
inline PanelView fill_panel(Panel& panel, const ProductView& p, std::size_t column, Several columns,
                            std::size_t first, std::size_t n) noexcept {
    for (std::size_t c = 0; c < columns.count; ++c) {
        const std::size_t from = (column + c) * p.n_blocks + first;
        for (std::size_t i = 0; i < n; ++i) {
            const std::size_t to = i * columns.count + c;
            _mm256_store_si256(reinterpret_cast<Ints*>(panel.q + to * block_size),
                               load_bytes(p.q + (from + i) * block_size));
            panel.dx[to] = p.scale[from + i];
            panel.extra[to] =
                Kernel::extra(p.scale[from + i], p.sum[from + i], p.half_sum + 2 * (from + i));
        }
    }
    return {panel.q, panel.dx, panel.extra};
}

} // namespace
} // namespace pillar::kernels::avx2
