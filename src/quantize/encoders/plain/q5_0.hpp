#pragma once
// Q5_0: d · (n − 16), n in 0 … 31. Layout: quant/formats/q5_0.hpp.

#include "encoders/levels.hpp"
#include "encoders/scaled_block.hpp"

#include "pillar/quant/formats/q5_0.hpp"

namespace pillar::quantize {

struct EncodeQ5_0 {
    using Format = quant::Q5_0;
    static constexpr bool counts_large_weights_more = true;

    [[gnu::always_inline]] static void encode(const float* x, const float* w, std::byte* out) {
        const auto block = scaled_block<WholeLevels<-16, 15>, 32, 1>(x, w, {0.9f, 0.02f});
        store_u16(out, 0, block.d);
        store_u32(out, 2, fifth_bits(block.n));
        store_nibbles(out + 6, block.n);
    }
};

} // namespace pillar::quantize
