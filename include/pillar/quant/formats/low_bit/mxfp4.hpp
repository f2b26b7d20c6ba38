#pragma once
// MXFP4 (Open Compute Project): 32 weights in 17 bytes (4.25 bits a weight). weight =
// 2^(e − 127) · e2m1 = 2^(e − 128) · mxfp4_values[n], n in 0…15.
//   0  e, the scale's exponent. 255 is not a number there: an infinite scale here, which the loader
//      refuses
//   1  16 bytes of nibbles: low ones are weights 0–15, high ones weights 16–31

#include "pillar/quant/format.hpp"

#include <limits>

namespace pillar::quant {

/// Twice the numbers of one sign, two exponent and one mantissa bit.
inline constexpr std::int8_t mxfp4_values[16] = {0, 1,  2,  3,  4,  6,  8,  12,
                                                 0, -1, -2, -3, -4, -6, -8, -12};

struct MXFP4 {
    static constexpr Type type = Type::mxfp4;
    static constexpr Rule rule = Rule::scaled;
    static constexpr std::size_t weights = 32;
    static constexpr std::size_t bytes = 17;

    [[gnu::always_inline]] static Factors factors(const std::byte* block) noexcept {
        const std::uint32_t e = *bytes_at(block, 0);
        if (e == 255) return {std::numeric_limits<float>::infinity()};
        // 2^-128 and 2^-127 are subnormal
        return {std::bit_cast<float>(e < 2 ? 0x0020'0000u << e : (e - 1) << 23)};
    }
    [[gnu::always_inline]] static void unpack(const std::byte* block, std::size_t,
                                              SubBlock& out) noexcept {
        std::uint8_t n[32];
        load_nibbles(block, 1, n);
        for (std::size_t k = 0; k < 32; ++k) out.q[k] = mxfp4_values[n[k]];
    }
};

} // namespace pillar::quant
