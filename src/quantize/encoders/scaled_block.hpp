#pragma once
// A block with one f16 scale.

#include "pack.hpp"
#include "scaled_search.hpp"

namespace pillar::quantize {

template <std::size_t N>
struct ScaledBlock {
    std::uint16_t d = 0; ///< f16
    std::uint8_t n[N]{}; ///< places of the levels
};

/// Once d is rounded to f16 the levels are those nearest to the weights again.
template <class Levels, std::size_t N, int Rounds>
[[gnu::always_inline]] inline ScaledBlock<N> scaled_block(const float* x, const float* w,
                                                          Starts starts) {
    ScaledBlock<N> block;
    block.d = f32_to_f16(search_scale<Levels, N, Rounds>(x, w, starts));
    const float d = f16_to_f32(block.d);
    const float inverse = d == 0.0f ? 0.0f : 1.0f / d;
    for (std::size_t i = 0; i < N; ++i) block.n[i] = Levels::index(x[i] * inverse);
    return block;
}

} // namespace pillar::quantize
