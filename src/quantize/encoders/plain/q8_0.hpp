#pragma once
// Q8_0: d · n, n in −127 … 127. The largest weight is met exactly: with so many levels no other
// scale is worth a search. Layout: quant/formats/q8_0.hpp.

#include "encoders/levels.hpp"
#include "encoders/pack.hpp"
#include "encoders/scaled_search.hpp"

#include "pillar/quant/formats/q8_0.hpp"

namespace pillar::quantize {

struct EncodeQ8_0 {
    using Format = quant::Q8_0;
    static constexpr bool counts_large_weights_more = false;

    [[gnu::always_inline]] static void encode(const float* x, const float*, std::byte* out) {
        const std::uint16_t half = f32_to_f16(std::fabs(largest<32>(x)) / 127.0f);
        const float d = f16_to_f32(half);
        const float inverse = d == 0.0f ? 0.0f : 1.0f / d;
        store_u16(out, 0, half);
        std::uint8_t n[32]; // places of the levels, from 0
        store_indices<WholeLevels<-127, 127>, 32>(n, x, 0.0f, inverse);
        for (std::size_t k = 0; k < 32; ++k) out[2 + k] = static_cast<std::byte>(n[k] - 127);
    }
};

} // namespace pillar::quantize
