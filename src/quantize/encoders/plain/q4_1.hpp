#pragma once
// Q4_1: d · n + m, n in 0 … 15. Layout: quant/formats/q4_1.hpp.

#include "encoders/affine_block.hpp"

#include "pillar/quant/formats/q4_1.hpp"

namespace pillar::quantize {

struct EncodeQ4_1 {
    using Format = quant::Q4_1;
    static constexpr bool counts_large_weights_more = true;

    [[gnu::always_inline]] static void encode(const float* x, const float* w, std::byte* out) {
        const AffineBlock block = affine_block<15, 1, 1>(x, w, {0.95f, 0.04f});
        store_u16(out, 0, block.d);
        store_u16(out, 2, block.m);
        store_nibbles(out + 4, block.n);
    }
};

} // namespace pillar::quantize
