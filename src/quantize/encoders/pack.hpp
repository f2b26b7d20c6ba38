#pragma once
// Numbers into the bytes of a block: the other way round from quant/formats.

#include "pillar/core/half.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace pillar::quantize {

[[gnu::always_inline]] inline void store_u16(std::byte* block, std::size_t offset,
                                             std::uint16_t value) {
    std::memcpy(block + offset, &value, sizeof value);
}
[[gnu::always_inline]] inline void store_u32(std::byte* block, std::size_t offset,
                                             std::uint32_t value) {
    std::memcpy(block + offset, &value, sizeof value);
}

/// As f16, but never 0 of what is not: small whole scales make up for a factor that is too large.
[[gnu::always_inline]] inline std::uint16_t to_nonzero_f16(float value) {
    const std::uint16_t half = f32_to_f16(value);
    const bool has_vanished = (half & 0x7FFFu) == 0 && value != 0.0f;
    return static_cast<std::uint16_t>(half | (has_vanished ? 1u : 0u));
}

/// 16 bytes of 32 numbers: 0–15 in the low nibbles, 16–31 in the high ones.
[[gnu::always_inline]] inline void store_nibbles(std::byte* out, const std::uint8_t* n) {
    for (std::size_t k = 0; k < 16; ++k)
        out[k] = static_cast<std::byte>((n[k] & 15) | (n[k + 16] & 15) << 4);
}

/// 128 bytes of 256 numbers: byte 32p + k has weight k of sub-blocks 2p (low) and 2p + 1 (high).
[[gnu::always_inline]] inline void store_paired_nibbles(std::byte* out, const std::uint8_t* n) {
    for (std::size_t p = 0; p < 4; ++p)
        for (std::size_t k = 0; k < 32; ++k)
            out[32 * p + k] =
                static_cast<std::byte>((n[64 * p + k] & 15) | (n[64 * p + 32 + k] & 15) << 4);
}

/// 64 bytes of the two bits from `shift` on of 256 numbers: byte 32h + k has those of weight k of
/// sub-blocks 4h … 4h + 3, lowest first.
[[gnu::always_inline]] inline void store_pairs(std::byte* out, const std::uint8_t* n, int shift) {
    for (std::size_t h = 0; h < 2; ++h)
        for (std::size_t k = 0; k < 32; ++k) {
            int byte = 0;
            for (std::size_t s = 0; s < 4; ++s)
                byte |= ((n[128 * h + 32 * s + k] >> shift) & 3) << (2 * s);
            out[32 * h + k] = static_cast<std::byte>(byte);
        }
}

/// 32 bytes of bit `bit` of 256 numbers: bit s of byte k is that of weight k of sub-block s.
[[gnu::always_inline]] inline void store_top_bits(std::byte* out, const std::uint8_t* n, int bit) {
    for (std::size_t k = 0; k < 32; ++k) {
        int byte = 0;
        for (std::size_t s = 0; s < 8; ++s) byte |= ((n[32 * s + k] >> bit) & 1) << s;
        out[k] = static_cast<std::byte>(byte);
    }
}

/// Bit k is the fifth bit of number k of 32.
[[gnu::always_inline]] inline std::uint32_t fifth_bits(const std::uint8_t* n) {
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < 32; k += 8) {
        std::uint64_t eight;
        std::memcpy(&eight, n + k, sizeof eight);
        // the product moves bit 0 of byte j to bit 56 + j, and no two bits to one place
        const std::uint64_t gathered =
            (eight >> 4 & 0x0101'0101'0101'0101u) * 0x0102'0408'1020'4080u;
        bits |= static_cast<std::uint32_t>(gathered >> 56) << k;
    }
    return bits;
}

/// Eight scales and eight mins of six bits in 12 bytes, as Q4_K and Q5_K have them.
[[gnu::always_inline]] inline void store_six_bit_fields(std::byte* out, const std::uint8_t* scales,
                                                        const std::uint8_t* mins) {
    for (std::size_t s = 0; s < 4; ++s) {
        out[s] = static_cast<std::byte>(scales[s] | (scales[s + 4] >> 4) << 6);
        out[s + 4] = static_cast<std::byte>(mins[s] | (mins[s + 4] >> 4) << 6);
        out[s + 8] = static_cast<std::byte>((scales[s + 4] & 15) | (mins[s + 4] & 15) << 4);
    }
}

} // namespace pillar::quantize
