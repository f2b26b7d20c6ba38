#pragma once
// Q2_0: d · (n − 1), n in 0 … 3. Layout: quant/formats/low_bit/q2_0.hpp.

#include "encoders/levels.hpp"
#include "encoders/scaled_block.hpp"

#include "pillar/quant/formats/low_bit/q2_0.hpp"

namespace pillar::quantize {

struct EncodeQ2_0 {
    using Format = quant::Q2_0;
    static constexpr bool counts_large_weights_more = true;

    [[gnu::always_inline]] static void encode(const float* x, const float* w, std::byte* out) {
        const auto block = scaled_block<WholeLevels<-1, 2>, 64, 2>(x, w, {1.0f, 0.2f});
        store_u16(out, 0, block.d);
        for (std::size_t i = 0; i < 16; ++i) {
            int byte = 0;
            for (std::size_t k = 0; k < 4; ++k) byte |= block.n[4 * i + k] << (2 * k);
            out[2 + i] = static_cast<std::byte>(byte);
        }
    }
};

} // namespace pillar::quantize
