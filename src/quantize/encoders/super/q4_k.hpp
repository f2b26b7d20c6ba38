#pragma once
// Q4_K. Layout: quant/formats/q4_k.hpp.

#include "encoders/affine_super_block.hpp"

#include "pillar/quant/formats/q4_k.hpp"

namespace pillar::quantize {

struct EncodeQ4_K {
    using Format = quant::Q4_K;
    static constexpr bool counts_large_weights_more = true;

    [[gnu::always_inline]] static void encode(const float* x, const float* w, std::byte* out) {
        const auto block = affine_super_block<15, 32, 63, 1, 1>(x, w, {0.93f, 0.03f});
        store_u16(out, 0, block.d);
        store_u16(out, 2, block.dmin);
        store_six_bit_fields(out + 4, block.scale, block.min);
        store_paired_nibbles(out + 16, block.n);
    }
};

} // namespace pillar::quantize
