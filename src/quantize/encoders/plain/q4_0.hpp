#pragma once
// Q4_0: d · (n − 8), n in 0 … 15. Layout: quant/formats/q4_0.hpp.

#include "encoders/levels.hpp"
#include "encoders/scaled_block.hpp"

#include "pillar/quant/formats/q4_0.hpp"

namespace pillar::quantize {

struct EncodeQ4_0 {
    using Format = quant::Q4_0;
    static constexpr bool counts_large_weights_more = true;

    [[gnu::always_inline]] static void encode(const float* x, const float* w, std::byte* out) {
        const auto block = scaled_block<WholeLevels<-8, 7>, 32, 1>(x, w, {0.85f, 0.04f});
        store_u16(out, 0, block.d);
        store_nibbles(out + 2, block.n);
    }
};

} // namespace pillar::quantize
