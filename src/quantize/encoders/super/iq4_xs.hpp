#pragma once
// IQ4_XS. Layout: quant/formats/iq4_xs.hpp.

#include "encoders/levels.hpp"
#include "encoders/scaled_super_block.hpp"

#include "pillar/quant/formats/iq4_xs.hpp"

namespace pillar::quantize {

struct EncodeIQ4_XS {
    using Format = quant::IQ4_XS;
    static constexpr bool counts_large_weights_more = true;

    [[gnu::always_inline]] static void encode(const float* x, const float* w, std::byte* out) {
        const auto block = scaled_super_block<Iq4Levels, 32, -32, 31, 1>(x, w, {0.85f, 0.04f});
        store_u16(out, 0, block.d);
        int low[4] = {};
        int top = 0;
        for (std::size_t s = 0; s < 8; ++s) {
            const int scale = block.scale[s] + 32;
            low[s / 2] |= (scale & 15) << (4 * (s % 2));
            top |= (scale >> 4) << (2 * s);
        }
        store_u16(out, 2, static_cast<std::uint16_t>(top));
        for (std::size_t i = 0; i < 4; ++i) out[4 + i] = static_cast<std::byte>(low[i]);
        for (std::size_t s = 0; s < 8; ++s) store_nibbles(out + 8 + 16 * s, block.n + 32 * s);
    }
};

} // namespace pillar::quantize
