#pragma once
// TQ2_0: d · (n − 1), n in 0 … 2. Weights of a model that was trained so are met exactly: the scale
// that brings the largest one to 1 is among those tried. Layout: quant/formats/low_bit/tq2_0.hpp.

#include "encoders/levels.hpp"
#include "encoders/scaled_block.hpp"

#include "pillar/quant/formats/low_bit/tq2_0.hpp"

namespace pillar::quantize {

struct EncodeTQ2_0 {
    using Format = quant::TQ2_0;
    static constexpr bool counts_large_weights_more = true;

    [[gnu::always_inline]] static void encode(const float* x, const float* w, std::byte* out) {
        const auto block = scaled_block<WholeLevels<-1, 1>, 256, 2>(x, w, {1.0f, 0.4f});
        store_pairs(out, block.n, 0);
        store_u16(out, 64, block.d);
    }
};

} // namespace pillar::quantize
