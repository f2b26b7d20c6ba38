#pragma once
// Q4_0: d · (n − 8), n in 0 … 15. Layout: quant/formats/q4_0.hpp.

#include "encoders/levels.hpp"
#include "encoders/quick_search.hpp"

#include "pillar/quant/formats/q4_0.hpp"

namespace pillar::quantize {

struct EncodeQ4_0 {
    using Format = quant::Q4_0;
    static constexpr bool counts_large_weights_more = true;

    [[gnu::always_inline]] static void encode(const float* x, const float* w, std::byte* out) {
        store(scaled_block<Levels, 32, 1>(x, w, {0.85f, 0.04f}), out);
    }
    [[gnu::always_inline]] static void encode_alike(const float* x, std::byte* out) {
        store(block_of_scale<Levels, 32>(x, quick_scale<Levels, 32>(x, {0.97f, 1.05f})), out);
    }

  private:
    using Levels = WholeLevels<-8, 7>;
    [[gnu::always_inline]] static void store(const ScaledBlock<32>& block, std::byte* out) {
        store_u16(out, 0, block.d);
        store_nibbles(out + 2, block.n);
    }
};

} // namespace pillar::quantize
