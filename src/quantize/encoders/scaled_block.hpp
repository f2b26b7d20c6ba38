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
template <class Levels, std::size_t N>
[[gnu::always_inline]] inline ScaledBlock<N> block_of_scale(const float* x, float scale) {
    ScaledBlock<N> block;
    block.d = f32_to_f16(scale);
    const float d = f16_to_f32(block.d);
    const float inverse = d == 0.0f ? 0.0f : 1.0f / d;
    store_indices<Levels, N>(block.n, x, 0.0f, inverse);
    return block;
}

template <class Levels, std::size_t N, int Rounds>
[[gnu::always_inline]] inline ScaledBlock<N> scaled_block(const float* x, const float* w,
                                                          Starts starts) {
    return block_of_scale<Levels, N>(x, search_scale<Levels, N, Rounds>(x, w, starts));
}

} // namespace pillar::quantize
