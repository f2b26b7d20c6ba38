#pragma once
// How a kernel reads the activations of a panel of up to 4 columns, block after block, and
// the numbers that belong to a block.

#include "neon/simd.hpp"
#include "views.hpp"

namespace pillar::kernels::neon {
namespace {

inline constexpr std::size_t panel_columns = 4; ///< Family::panel_columns
/// Blocks × columns prepared at a time. 256 are 8 KB of activations: with what is prepared of them
/// and the weights that pass by, half of a Cortex-A72's first level.
inline constexpr std::size_t piece_capacity = 256;
inline constexpr std::size_t stream_capacity = 1024;

// What a kernel takes of each block and column besides the integers: dx, and what it needs of their
// sums. `load` brings it into registers; dx multiplies by element.

/// dx alone, as the activations have it.
struct Scale {
    float dx;

    struct Loaded {
        float dx;
        Floats times(Floats v) const noexcept { return vmulq_n_f32(v, dx); }
        Floats add_times(Floats v, Floats a) const noexcept { return vfmaq_n_f32(a, v, dx); }
    };
    Loaded load() const noexcept { return {load_scalar(&dx)}; }
};

/// dx and 32 bits: one load of eight bytes.
struct alignas(8) ScaleAndSum {
    float dx;
    std::uint32_t bits;

    struct Loaded {
        float32x2_t both;
        Floats times(Floats v) const noexcept { return vmulq_lane_f32(v, both, 0); }
        Floats add_times(Floats v, Floats a) const noexcept {
            return vfmaq_lane_f32(a, v, both, 0);
        }
        /// fma(v, the bits as f32, a)
        Floats add_times_sum(Floats v, Floats a) const noexcept {
            return vfmaq_lane_f32(a, v, both, 1);
        }
        /// The bits as int16 are the lanes 2 and 3.
        int16x4_t sums() const noexcept { return vreinterpret_s16_f32(both); }
    };
    Loaded load() const noexcept { return {vld1_f32(&dx)}; }
};
/// The bits: dx · Σ q.
struct ScaleAndScaledSum : ScaleAndSum {
    static ScaleAndScaledSum prepare(float dx, std::int32_t sum, const std::int16_t*) noexcept {
        return {{dx, __builtin_bit_cast(std::uint32_t, dx * static_cast<float>(sum))}};
    }
};
/// The bits: Σ q as int16, |Σ q| ≤ 32 · 127.
struct ScaleAndBlockSum : ScaleAndSum {
    static ScaleAndBlockSum prepare(float dx, std::int32_t sum, const std::int16_t*) noexcept {
        return {{dx, static_cast<std::uint32_t>(sum) & 0xFFFFu}};
    }
};
/// The bits: Σ q of the first 16 and of the second as int16.
struct ScaleAndHalfSums : ScaleAndSum {
    static ScaleAndHalfSums prepare(float dx, std::int32_t, const std::int16_t* sums) noexcept {
        std::uint32_t both;
        std::memcpy(&both, sums, sizeof both);
        return {{dx, both}};
    }
};

/// dx, and minus · Σ q in every lane: what a dot product starts from.
template <int minus>
struct ScaleAndStart {
    Ints start;
    Floats dx;

    struct Loaded {
        Ints start;
        Floats dx;
        Floats times(Floats v) const noexcept { return vmulq_f32(v, dx); }
    };
    Loaded load() const noexcept { return {start, dx}; }
    static ScaleAndStart prepare(float dx, std::int32_t sum, const std::int16_t*) noexcept {
        return {vdupq_n_s32(-minus * sum), vdupq_n_f32(dx)};
    }
};

/// Where a kernel reads: for each block, for each column.
template <class Numbers>
struct PanelView {
    const std::int8_t* q;   ///< (blocks, columns, 32)
    const Numbers* numbers; ///< (blocks, columns)

    [[nodiscard]] PanelView from(std::size_t i) const noexcept {
        return {q + i * block_size, numbers + i};
    }
};

/// View n = blocks · columns entries of the panels from entry `first` on.
template <class Numbers>
inline PanelView<Numbers> view_panel(const ProductView& p, std::size_t first, std::size_t n,
                                     Numbers* numbers) noexcept {
    for (std::size_t i = 0; i < n; ++i)
        numbers[i] =
            Numbers::prepare(p.scale[first + i], p.sum[first + i], p.half_sum + 2 * (first + i));
    return {p.q + first * block_size, numbers};
}
inline PanelView<Scale> view_panel(const ProductView& p, std::size_t first, std::size_t,
                                   Scale*) noexcept {
    static_assert(sizeof(Scale) == sizeof(float));
    return {p.q + first * block_size, reinterpret_cast<const Scale*>(p.scale + first)};
}

} // namespace
} // namespace pillar::kernels::neon
