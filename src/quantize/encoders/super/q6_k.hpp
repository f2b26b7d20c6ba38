#pragma once
// Q6_K. Layout: quant/formats/q6_k.hpp.

#include "encoders/levels.hpp"
#include "encoders/scaled_super_block.hpp"

#include "pillar/quant/formats/q6_k.hpp"

namespace pillar::quantize {

struct EncodeQ6_K {
    using Format = quant::Q6_K;
    static constexpr bool counts_large_weights_more = true;

    [[gnu::always_inline]] static void encode(const float* x, const float* w, std::byte* out) {
        const auto block =
            scaled_super_block<WholeLevels<-32, 31>, 16, -128, 127, 1>(x, w, {0.95f, 0.01f});
        for (std::size_t h = 0; h < 2; ++h)
            for (std::size_t p = 0; p < 2; ++p)
                for (std::size_t k = 0; k < 32; ++k) {
                    const std::uint8_t* n = block.n + 128 * h + 32 * p + k;
                    out[64 * h + 32 * p + k] =
                        static_cast<std::byte>((n[0] & 15) | (n[64] & 15) << 4);
                }
        store_pairs(out + 128, block.n, 4);
        for (std::size_t i = 0; i < 16; ++i) out[192 + i] = static_cast<std::byte>(block.scale[i]);
        store_u16(out, 208, block.d);
    }
};

} // namespace pillar::quantize
