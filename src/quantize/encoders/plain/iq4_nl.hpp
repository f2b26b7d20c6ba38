#pragma once
// IQ4_NL. Layout: quant/formats/iq4_nl.hpp.

#include "encoders/levels.hpp"
#include "encoders/scaled_block.hpp"

#include "pillar/quant/formats/iq4_nl.hpp"

namespace pillar::quantize {

struct EncodeIQ4_NL {
    using Format = quant::IQ4_NL;
    static constexpr bool counts_large_weights_more = true;

    [[gnu::always_inline]] static void encode(const float* x, const float* w, std::byte* out) {
        const auto block = scaled_block<Iq4Levels, 32, 1>(x, w, {0.85f, 0.04f});
        store_u16(out, 0, block.d);
        store_nibbles(out + 2, block.n);
    }
};

} // namespace pillar::quantize
