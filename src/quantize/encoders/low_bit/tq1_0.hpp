#pragma once
// TQ1_0: the numbers of TQ2_0, five to a byte as the digits of a fraction in base 3. Layout:
// quant/formats/low_bit/tq1_0.hpp.

#include "encoders/levels.hpp"
#include "encoders/scaled_block.hpp"

#include "pillar/quant/formats/low_bit/tq1_0.hpp"

namespace pillar::quantize {

/// The byte of the digits n[0], n[stride], …: the smallest that is no less than their fraction of
/// 256.
[[gnu::always_inline]] inline std::byte
fraction_in_base_3(const std::uint8_t* n, std::size_t stride, std::size_t n_digits) {
    int digits = 0;
    for (std::size_t i = 0; i < 5; ++i) digits = 3 * digits + (i < n_digits ? n[stride * i] : 0);
    return static_cast<std::byte>((256 * digits + 242) / 243);
}

struct EncodeTQ1_0 {
    using Format = quant::TQ1_0;
    static constexpr bool counts_large_weights_more = true;

    [[gnu::always_inline]] static void encode(const float* x, const float* w, std::byte* out) {
        const auto block = scaled_block<WholeLevels<-1, 1>, 256, 2>(x, w, {1.0f, 0.4f});
        for (std::size_t k = 0; k < 32; ++k) out[k] = fraction_in_base_3(block.n + k, 32, 5);
        for (std::size_t k = 0; k < 16; ++k)
            out[32 + k] = fraction_in_base_3(block.n + 160 + k, 16, 5);
        for (std::size_t k = 0; k < 4; ++k)
            out[48 + k] = fraction_in_base_3(block.n + 240 + k, 4, 4);
        store_u16(out, 52, block.d);
    }
};

} // namespace pillar::quantize
