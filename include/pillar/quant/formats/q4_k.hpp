#pragma once
// Q4_K: 256 weights in 144 bytes (4.5 bits a weight). weight = (d·scale)·n − dmin·min, n in 0…15.
//    0  f16 d
//    2  f16 dmin
//    4  12 bytes with eight 6-bit scales and eight 6-bit mins (six_bit_fields)
//   16  128 bytes of nibbles: byte 32p + k holds weight k of sub-block 2p (low) and 2p+1 (high)

#include "pillar/quant/format.hpp"

namespace pillar::quant {

/// Scale and min of sub-block s as Q4_K and Q5_K pack them: for s < 4 the low six bits of bytes s
/// and 4 + s; for the others their low nibbles share byte 4 + s and their top pairs are the two
/// bits that bytes s − 4 and s have to spare.
[[gnu::always_inline]] inline void six_bit_fields(const std::uint8_t* fields, std::size_t s,
                                                  SubBlock& out) noexcept {
    int scale = 0;
    int min = 0;
    if (s < 4) {
        scale = fields[s] & 63;
        min = fields[s + 4] & 63;
    } else {
        scale = (fields[s + 4] & 15) | (fields[s - 4] >> 6) << 4;
        min = fields[s + 4] >> 4 | (fields[s] >> 6) << 4;
    }
    out.scale[0] = out.scale[1] = scale;
    out.min[0] = out.min[1] = min;
}

struct Q4_K {
    static constexpr Type type = Type::q4_k;
    static constexpr Rule rule = Rule::sub_affine;
    static constexpr std::size_t weights = 256;
    static constexpr std::size_t bytes = 144;

    [[gnu::always_inline]] static Factors factors(const std::byte* block) noexcept {
        return {load_f16(block, 0), load_f16(block, 2)};
    }
    [[gnu::always_inline]] static void unpack(const std::byte* block, std::size_t sub,
                                              SubBlock& out) noexcept {
        six_bit_fields(bytes_at(block, 4), sub, out);
        const std::uint8_t* nibbles = bytes_at(block, 16 + 32 * (sub / 2));
        const int shift = 4 * static_cast<int>(sub % 2);
        for (std::size_t k = 0; k < 32; ++k)
            out.q[k] = static_cast<std::int8_t>((nibbles[k] >> shift) & 15);
    }
};

} // namespace pillar::quant
