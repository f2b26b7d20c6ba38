#pragma once
// Q5_1: d · n + m, n in 0 … 31. Layout: quant/formats/q5_1.hpp.

#include "encoders/quick_search.hpp"

#include "pillar/quant/formats/q5_1.hpp"

namespace pillar::quantize {

struct EncodeQ5_1 {
    using Format = quant::Q5_1;
    static constexpr bool counts_large_weights_more = true;

    [[gnu::always_inline]] static void encode(const float* x, const float* w, std::byte* out) {
        store(affine_block<31, 1, 1>(x, w, {0.97f, 0.02f}), out);
    }
    [[gnu::always_inline]] static void encode_alike(const float* x, std::byte* out) {
        store(block_of_affine<31>(x, quick_affine<31, 32>(x, {0.98f, 0.02f})), out);
    }

  private:
    [[gnu::always_inline]] static void store(const AffineBlock& block, std::byte* out) {
        store_u16(out, 0, block.d);
        store_u16(out, 2, block.m);
        store_u32(out, 4, fifth_bits(block.n));
        store_nibbles(out + 8, block.n);
    }
};

} // namespace pillar::quantize
