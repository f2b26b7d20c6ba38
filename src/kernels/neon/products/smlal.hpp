#pragma once
// Exact integer dot products of one block of 32 of 4 rows with the activations of one column, on
// ARMv8.0: SMULL and SMLAL multiply bytes and add up in int16, pairwise additions bring the rows
// side by side, SADALP widens to int32. Nothing overflows because |activation| ≤ 127: as many
// products are added in int16 as stay below 32768.
//
// A dot product is a struct; the formats are templates over it:
//   vector_of<max>(row, k), byte_of(row, k)   where weight k of a row lies in Weights
//   dot<max>(w, x)                       Σ w·x of 4 rows; |w| ≤ max
//   dot<max>(w, x, start)                the same added to `start`
//   add_chosen_twice(masks, x, start)    start + 2 · Σ of the x whose mask is set
//   HalfScales<max>                      scales of the first and of the second 16 weights of 4 rows
//   scaled_dot<max>(w, x, scales)        Σ of weights 0–15 and of weights 16–31, each by its scale

#include "bits.hpp"

namespace pillar::kernels::neon {
namespace {

inline constexpr int max_activation = 127;

/// A block of one column.
struct Activation {
    Bytes low, high;
    static Activation load(const std::int8_t* q) noexcept {
        return {vld1q_s8(q), vld1q_s8(q + 16)};
    }
};

/// n products of weights ≤ max fit an int16.
constexpr bool fit_int16(int n, int max) noexcept {
    return n * max * max_activation <= 32767;
}

struct Smlal {
    /// The rows' first halves, then their second ones: half the loads are enough to begin with.
    /// Rows of wide weights are widened one after another.
    template <int max>
    static constexpr std::size_t vector_of(std::size_t row, std::size_t k) noexcept {
        return fit_int16(8, max) ? 4 * (k / 16) + row : 2 * row + k / 16;
    }
    static constexpr std::size_t byte_of(std::size_t, std::size_t k) noexcept { return k % 16; }

    template <int max>
    [[gnu::always_inline]] static Ints dot(const Weights& w, const Activation& x) noexcept {
        if constexpr (fit_int16(16, max)) {
            return vpaddlq_s16(row_pairs(w, x));
        } else if constexpr (fit_int16(8, max)) {
            const Ints a = vpaddlq_s16(vpaddq_s16(products(w, 0, x), products(w, 1, x)));
            const Ints b = vpaddlq_s16(vpaddq_s16(products(w, 2, x), products(w, 3, x)));
            return vpaddq_s32(a, b);
        } else {
            static_assert(fit_int16(2, max));
            const Ints a = wide_products(w, 0, x);
            const Ints b = wide_products(w, 1, x);
            const Ints c = wide_products(w, 2, x);
            const Ints d = wide_products(w, 3, x);
            return vpaddq_s32(vpaddq_s32(a, b), vpaddq_s32(c, d));
        }
    }
    template <int max>
    [[gnu::always_inline]] static Ints dot(const Weights& w, const Activation& x,
                                           Ints start) noexcept {
        static_assert(fit_int16(16, max));
        return vpadalq_s16(start, row_pairs(w, x));
    }

    /// A row's 32 bytes are at most 4 · 127 a lane, 2 · 4064 for lanes 2r and 2r + 1 doubled.
    [[gnu::always_inline]] static Ints add_chosen_twice(const Weights& masks, const Activation& x,
                                                        Ints start) noexcept {
        const int16x8_t pairs = vpaddq_s16(vpaddq_s16(chosen(masks, 0, x), chosen(masks, 1, x)),
                                           vpaddq_s16(chosen(masks, 2, x), chosen(masks, 3, x)));
        return vpadalq_s16(start, vaddq_s16(pairs, pairs));
    }

    /// int16 scales, four rows each.
    struct NarrowScales {
        int16x4_t low, high;
        explicit NarrowScales(int8x8_t scales) noexcept {
            const int16x8_t wide = vmovl_s8(scales);
            low = vget_low_s16(wide);
            high = vget_high_s16(wide);
        }
    };
    /// int32 scales.
    struct WideScales {
        Ints low, high;
        explicit WideScales(int8x8_t scales) noexcept {
            const int16x8_t wide = vmovl_s8(scales);
            low = vmovl_s16(vget_low_s16(wide));
            high = vmovl_high_s16(wide);
        }
    };
    template <int max, bool narrow = fit_int16(16, max)>
    struct ScalesOf {
        using Type = NarrowScales;
    };
    template <int max>
    struct ScalesOf<max, false> {
        using Type = WideScales;
    };
    template <int max>
    using HalfScales = typename ScalesOf<max>::Type;

    template <int max>
    [[gnu::always_inline]] static Ints scaled_dot(const Weights& w, const Activation& x,
                                                  const HalfScales<max>& scale) noexcept {
        const int16x8_t low = half_row_pairs(w, 0, x.low);
        const int16x8_t high = half_row_pairs(w, 1, x.high);
        if constexpr (fit_int16(16, max)) {
            const int16x8_t both = vpaddq_s16(low, high);
            return vmlal_s16(vmull_s16(vget_low_s16(both), scale.low), vget_high_s16(both),
                             scale.high);
        } else {
            static_assert(fit_int16(8, max));
            return vmlaq_s32(vmulq_s32(vpaddlq_s16(low), scale.low), vpaddlq_s16(high), scale.high);
        }
    }

  private:
    /// Products of 16 weights, two in a lane.
    [[gnu::always_inline]] static int16x8_t half_products(Bytes w, Bytes x) noexcept {
        return vmlal_high_s8(vmull_s8(vget_low_s8(w), vget_low_s8(x)), w, x);
    }
    /// All products of a row, four in a lane.
    [[gnu::always_inline]] static int16x8_t products(const Weights& w, std::size_t row,
                                                     const Activation& x) noexcept {
        const int16x8_t sum = half_products(w.v[row], x.low);
        const Bytes high = w.v[4 + row];
        return vmlal_high_s8(vmlal_s8(sum, vget_low_s8(high), vget_low_s8(x.high)), high, x.high);
    }
    /// The activations that a row's masks choose, four in a lane.
    [[gnu::always_inline]] static int16x8_t chosen(const Weights& masks, std::size_t row,
                                                   const Activation& x) noexcept {
        return vpadalq_s8(vpaddlq_s8(vandq_s8(masks.v[row], x.low)),
                          vandq_s8(masks.v[4 + row], x.high));
    }
    /// Lanes 2r and 2r + 1: row r, eight products each.
    [[gnu::always_inline]] static int16x8_t row_pairs(const Weights& w,
                                                      const Activation& x) noexcept {
        return vpaddq_s16(vpaddq_s16(products(w, 0, x), products(w, 1, x)),
                          vpaddq_s16(products(w, 2, x), products(w, 3, x)));
    }
    /// The same of one half of the block, four products each.
    [[gnu::always_inline]] static int16x8_t half_row_pairs(const Weights& w, std::size_t half,
                                                           Bytes x) noexcept {
        return vpaddq_s16(
            vpaddq_s16(half_products(w.v[4 * half], x), half_products(w.v[4 * half + 1], x)),
            vpaddq_s16(half_products(w.v[4 * half + 2], x), half_products(w.v[4 * half + 3], x)));
    }
    /// All products of a row in four int32, two of them at a time in int16.
    [[gnu::always_inline]] static Ints wide_products(const Weights& w, std::size_t row,
                                                     const Activation& x) noexcept {
        return vpadalq_s16(vpaddlq_s16(half_products(w.v[2 * row], x.low)),
                           half_products(w.v[2 * row + 1], x.high));
    }
};

} // namespace
} // namespace pillar::kernels::neon
