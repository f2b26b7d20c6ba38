#pragma once
// Exact integer dot products of one block of 32 of 4 rows with the activations of one column, on
// ARMv8.2 with the dot product instructions: lane r of a vector holds four weights of row r, SDOT
// by element multiplies them with the same four activations and adds up in int32.
// neon/products/smlal.hpp says what a dot product is to the formats.

#include "neon/products/smlal.hpp"

namespace pillar::kernels::dotprod {
namespace {

using neon::Activation;
using neon::Ints;
using neon::Weights;

struct Sdot {
    /// Weights 4j … 4j + 3 of the four rows are vector j.
    template <int>
    static constexpr std::size_t vector_of(std::size_t, std::size_t k) noexcept {
        return k / 4;
    }
    static constexpr std::size_t byte_of(std::size_t row, std::size_t k) noexcept {
        return 4 * row + k % 4;
    }

    template <int max>
    [[gnu::always_inline]] static Ints dot(const Weights& w, const Activation& x) noexcept {
        return dot<max>(w, x, vdupq_n_s32(0));
    }
    template <int>
    [[gnu::always_inline]] static Ints dot(const Weights& w, const Activation& x,
                                           Ints start) noexcept {
        return vaddq_s32(half_dot(w.v, x.low, start), half_dot(w.v + 4, x.high, vdupq_n_s32(0)));
    }

    /// A mask is −1.
    [[gnu::always_inline]] static Ints add_chosen_twice(const Weights& masks, const Activation& x,
                                                        Ints start) noexcept {
        return vmlsq_n_s32(start, dot<1>(masks, x), 2);
    }

    template <int>
    using HalfScales = neon::Smlal::WideScales;
    template <int>
    [[gnu::always_inline]] static Ints scaled_dot(const Weights& w, const Activation& x,
                                                  const neon::Smlal::WideScales& scale) noexcept {
        const Ints low = half_dot(w.v, x.low, vdupq_n_s32(0));
        const Ints high = half_dot(w.v + 4, x.high, vdupq_n_s32(0));
        return vmlaq_s32(vmulq_s32(low, scale.low), high, scale.high);
    }

  private:
    /// The first or the second 16 weights.
    [[gnu::always_inline]] static Ints half_dot(const neon::Bytes* w, neon::Bytes x,
                                                Ints sum) noexcept {
        sum = vdotq_laneq_s32(sum, w[0], x, 0);
        sum = vdotq_laneq_s32(sum, w[1], x, 1);
        sum = vdotq_laneq_s32(sum, w[2], x, 2);
        return vdotq_laneq_s32(sum, w[3], x, 3);
    }
};

} // namespace
} // namespace pillar::kernels::dotprod
