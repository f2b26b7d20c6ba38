#pragma once
// Q3_K. Layout: quant/formats/q3_k.hpp.

#include "encoders/levels.hpp"
#include "encoders/scaled_super_block.hpp"

#include "pillar/quant/formats/q3_k.hpp"

namespace pillar::quantize {

struct EncodeQ3_K {
    using Format = quant::Q3_K;
    static constexpr bool counts_large_weights_more = true;

    [[gnu::always_inline]] static void encode(const float* x, const float* w, std::byte* out) {
        const auto block =
            scaled_super_block<WholeLevels<-4, 3>, 16, -32, 31, 1>(x, w, {0.7f, 0.08f});
        store_top_bits(out, block.n, 2);
        store_pairs(out + 32, block.n, 0);
        int fields[12] = {};
        for (std::size_t i = 0; i < 16; ++i) {
            const int scale = block.scale[i] + 32;
            fields[i % 8] |= (scale & 15) << (i < 8 ? 0 : 4);
            fields[8 + i % 4] |= (scale >> 4) << (2 * (i / 4));
        }
        for (std::size_t i = 0; i < 12; ++i) out[96 + i] = static_cast<std::byte>(fields[i]);
        store_u16(out, 108, block.d);
    }
};

} // namespace pillar::quantize
