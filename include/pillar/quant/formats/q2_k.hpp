#pragma once
// Q2_K: 256 weights in 84 bytes (2.625 bits a weight). weight = (d·scale)·n − dmin·min, n in 0…3.
//    0  16 bytes, one for each 16 weights: scale in the low nibble, min in the high one
//   16  64 bytes of 2-bit numbers: byte 32h + k holds weight k of sub-blocks 4h … 4h+3, lowest
//   first 80  f16 d 82  f16 dmin

#include "pillar/quant/format.hpp"

namespace pillar::quant {

struct Q2_K {
    static constexpr Type type = Type::q2_k;
    static constexpr Rule rule = Rule::sub_affine;
    static constexpr std::size_t weights = 256;
    static constexpr std::size_t bytes = 84;

    [[gnu::always_inline]] static Factors factors(const std::byte* block) noexcept {
        return {load_f16(block, 80), load_f16(block, 82)};
    }
    [[gnu::always_inline]] static void unpack(const std::byte* block, std::size_t sub,
                                              SubBlock& out) noexcept {
        const std::uint8_t* scales = bytes_at(block, 2 * sub);
        for (std::size_t half = 0; half < 2; ++half) {
            out.scale[half] = scales[half] & 15;
            out.min[half] = scales[half] >> 4;
        }
        const std::uint8_t* pairs = bytes_at(block, 16 + 32 * (sub / 4));
        const int shift = 2 * static_cast<int>(sub % 4);
        for (std::size_t k = 0; k < 32; ++k)
            out.q[k] = static_cast<std::int8_t>((pairs[k] >> shift) & 3);
    }
};

} // namespace pillar::quant
