#pragma once
// How a kernel reads the activations of a panel of up to 4 columns, block after block, and what it
// has prepared of a block's sums.

#include "../views.hpp"
#include "simd.hpp"

namespace pillar::kernels::neon {
namespace {

inline constexpr std::size_t panel_columns = 4; ///< Family::panel_columns
/// Blocks × columns prepared at a time. 256 are 8 KB of activations: with what is prepared of them
/// and the weights that pass by, half of a Cortex-A72's first level.
inline constexpr std::size_t piece_capacity = 256;
inline constexpr std::size_t stream_capacity = 1024;

/// Nothing to prepare.
struct Nothing {
    struct Type {};
    static Type prepare(float, std::int32_t) noexcept { return {}; }
};
/// minus · Σ q in every lane: what a dot product starts from.
template <int minus>
struct MinusSums {
    using Type = Ints;
    static Type prepare(float, std::int32_t sum) noexcept { return vdupq_n_s32(-minus * sum); }
};
/// dx · Σ q.
struct ScaledSum {
    using Type = float;
    static Type prepare(float dx, std::int32_t sum) noexcept {
        return dx * static_cast<float>(sum);
    }
};
/// Σ q as f32.
struct FloatSum {
    using Type = float;
    static Type prepare(float, std::int32_t sum) noexcept { return static_cast<float>(sum); }
};

/// Where a kernel reads: for each block, for each column.
template <class Extra>
struct PanelView {
    const std::int8_t* q;              ///< (blocks, columns, 32)
    const float* dx;                   ///< (blocks, columns)
    const std::int16_t* half_sum;      ///< (blocks, columns, 2)
    const typename Extra::Type* extra; ///< (blocks, columns)

    [[nodiscard]] PanelView from(std::size_t i) const noexcept {
        return {q + i * block_size, dx + i, half_sum + 2 * i, extra + i};
    }
};

/// View n = blocks · columns entries of the panels from entry `first` on.
template <class Extra>
inline PanelView<Extra> view_panel(const ProductView& p, std::size_t first, std::size_t n,
                                   typename Extra::Type* extra) noexcept {
    for (std::size_t i = 0; i < n; ++i)
        extra[i] = Extra::prepare(p.scale[first + i], p.sum[first + i]);
    return {p.q + first * block_size, p.scale + first, p.half_sum + 2 * first, extra};
}

} // namespace
} // namespace pillar::kernels::neon
