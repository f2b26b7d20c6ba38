#pragma once
// Q5_K: 256 weights in 176 bytes (5.5 bits a weight). weight = (d·scale)·n − dmin·min, n in 0…31.
//    0  f16 d
//    2  f16 dmin
//    4  12 bytes with eight 6-bit scales and eight 6-bit mins, as in Q4_K
//   16  32 bytes of fifth bits: bit s of byte k is the top bit of weight k of sub-block s
//   48  128 bytes of nibbles: byte 32p + k holds weight k of sub-block 2p (low) and 2p+1 (high)

#include "pillar/quant/formats/q4_k.hpp"

namespace pillar::quant {

struct Q5_K {
    static constexpr Type type = Type::q5_k;
    static constexpr Rule rule = Rule::sub_affine;
    static constexpr std::size_t weights = 256;
    static constexpr std::size_t bytes = 176;

    [[gnu::always_inline]] static Factors factors(const std::byte* block) noexcept {
        return {load_f16(block, 0), load_f16(block, 2)};
    }
    [[gnu::always_inline]] static void unpack(const std::byte* block, std::size_t sub,
                                              SubBlock& out) noexcept {
        six_bit_fields(bytes_at(block, 4), sub, out);
        const std::uint8_t* fifth = bytes_at(block, 16);
        const std::uint8_t* nibbles = bytes_at(block, 48 + 32 * (sub / 2));
        const int bit = static_cast<int>(sub);
        const int shift = 4 * static_cast<int>(sub % 2);
        for (std::size_t k = 0; k < 32; ++k) {
            const int top = ((fifth[k] >> bit) & 1) << 4;
            out.q[k] = static_cast<std::int8_t>(((nibbles[k] >> shift) & 15) + top);
        }
    }
};

} // namespace pillar::quant
