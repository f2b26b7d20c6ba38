#pragma once
// Q1_0: d or −d. The signs are the weights' own, d the mean of their magnitudes. Layout:
// quant/formats/low_bit/q1_0.hpp.

#include "encoders/pack.hpp"

#include "pillar/quant/formats/low_bit/q1_0.hpp"

#include <cmath>

namespace pillar::quantize {

struct EncodeQ1_0 {
    using Format = quant::Q1_0;
    static constexpr bool counts_large_weights_more = false;

    [[gnu::always_inline]] static void encode(const float* x, const float* w, std::byte* out) {
        float weighted = 0.0f;
        float weight = 0.0f;
        for (std::size_t k = 0; k < 128; ++k) {
            weighted += w[k] * std::fabs(x[k]);
            weight += w[k];
        }
        store_u16(out, 0, f32_to_f16(weighted / weight));
        for (std::size_t i = 0; i < 16; ++i) {
            int byte = 0;
            for (std::size_t k = 0; k < 8; ++k) byte |= (x[8 * i + k] >= 0.0f ? 1 : 0) << k;
            out[2 + i] = static_cast<std::byte>(byte);
        }
    }
};

} // namespace pillar::quantize
