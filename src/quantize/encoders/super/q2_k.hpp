#pragma once
// Q2_K. Layout: quant/formats/q2_k.hpp.

#include "encoders/affine_super_block.hpp"

#include "pillar/quant/formats/q2_k.hpp"

namespace pillar::quantize {

struct EncodeQ2_K {
    using Format = quant::Q2_K;
    static constexpr bool counts_large_weights_more = true;

    [[gnu::always_inline]] static void encode(const float* x, const float* w, std::byte* out) {
        const auto block = affine_super_block<3, 16, 15, 1, 1>(x, w, {0.8f, 0.1f});
        for (std::size_t s = 0; s < 16; ++s)
            out[s] = static_cast<std::byte>(block.scale[s] | block.min[s] << 4);
        store_pairs(out + 16, block.n, 0);
        store_u16(out, 80, block.d);
        store_u16(out, 82, block.dmin);
    }
};

} // namespace pillar::quantize
