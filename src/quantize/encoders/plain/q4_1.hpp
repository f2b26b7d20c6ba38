#pragma once
// Q4_1: d · n + m, n in 0 … 15. Layout: quant/formats/q4_1.hpp.

#include "encoders/quick_search.hpp"

#include "pillar/quant/formats/q4_1.hpp"

namespace pillar::quantize {

struct EncodeQ4_1 {
    using Format = quant::Q4_1;
    static constexpr bool counts_large_weights_more = true;

    [[gnu::always_inline]] static void encode(const float* x, const float* w, std::byte* out) {
        store(affine_block<15, 1, 1>(x, w, {0.95f, 0.04f}), out);
    }
    [[gnu::always_inline]] static void encode_alike(const float* x, std::byte* out) {
        store(block_of_affine<15>(x, quick_affine<15, 32>(x, {1.0f, 0.03f})), out);
    }

  private:
    [[gnu::always_inline]] static void store(const AffineBlock& block, std::byte* out) {
        store_u16(out, 0, block.d);
        store_u16(out, 2, block.m);
        store_nibbles(out + 4, block.n);
    }
};

} // namespace pillar::quantize
