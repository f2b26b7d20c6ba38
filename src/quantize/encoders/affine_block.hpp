#pragma once
// 32 weights with one f16 scale and one f16 offset.

#include "affine_search.hpp"
#include "levels.hpp"
#include "pack.hpp"

namespace pillar::quantize {

struct AffineBlock {
    std::uint16_t d = 0; ///< f16
    std::uint16_t m = 0; ///< f16
    std::uint8_t n[32]{};
};

template <int Highest>
[[gnu::always_inline]] inline AffineBlock block_of_affine(const float* x, Affine found) {
    AffineBlock block;
    block.d = f32_to_f16(found.d);
    block.m = f32_to_f16(found.m);
    const float d = f16_to_f32(block.d);
    const float m = f16_to_f32(block.m);
    const float inverse = d == 0.0f ? 0.0f : 1.0f / d;
    store_indices<WholeLevels<0, Highest>, 32>(block.n, x, -m, inverse);
    return block;
}

template <int Highest, int Rounds, int Sets>
[[gnu::always_inline]] inline AffineBlock affine_block(const float* x, const float* w,
                                                       Widths widths) {
    const BlockSums<32> sums(x, w);
    return block_of_affine<Highest>(
        x, search_affine<Highest, 32, Offset::any, Rounds, Sets>(x, w, sums, widths));
}

} // namespace pillar::quantize
