#pragma once
// Q5_0: d · (n − 16), n in 0 … 31. Layout: quant/formats/q5_0.hpp.

#include "encoders/levels.hpp"
#include "encoders/quick_search.hpp"

#include "pillar/quant/formats/q5_0.hpp"

namespace pillar::quantize {

struct EncodeQ5_0 {
    using Format = quant::Q5_0;
    static constexpr bool counts_large_weights_more = true;

    [[gnu::always_inline]] static void encode(const float* x, const float* w, std::byte* out) {
        store(scaled_block<Levels, 32, 1>(x, w, {0.9f, 0.02f}), out);
    }
    [[gnu::always_inline]] static void encode_alike(const float* x, std::byte* out) {
        store(block_of_scale<Levels, 32>(x, quick_scale<Levels, 32>(x, {0.93f, 1.0f})), out);
    }

  private:
    using Levels = WholeLevels<-16, 15>;
    [[gnu::always_inline]] static void store(const ScaledBlock<32>& block, std::byte* out) {
        store_u16(out, 0, block.d);
        store_u32(out, 2, fifth_bits(block.n));
        store_nibbles(out + 6, block.n);
    }
};

} // namespace pillar::quantize
