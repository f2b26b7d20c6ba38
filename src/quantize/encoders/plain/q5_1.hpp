#pragma once
// Q5_1: d · n + m, n in 0 … 31. Layout: quant/formats/q5_1.hpp.

#include "encoders/affine_block.hpp"

#include "pillar/quant/formats/q5_1.hpp"

namespace pillar::quantize {

struct EncodeQ5_1 {
    using Format = quant::Q5_1;
    static constexpr bool counts_large_weights_more = true;

    [[gnu::always_inline]] static void encode(const float* x, const float* w, std::byte* out) {
        const AffineBlock block = affine_block<31, 1, 1>(x, w, {0.97f, 0.02f});
        store_u16(out, 0, block.d);
        store_u16(out, 2, block.m);
        store_u32(out, 4, fifth_bits(block.n));
        store_nibbles(out + 8, block.n);
    }
};

} // namespace pillar::quantize
