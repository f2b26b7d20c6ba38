#pragma once
// Q6_K: 256 weights in 210 bytes (6.5625 bits a weight). weight = (d·scale)·(n − 32), n in 0…63.
//     0  128 bytes of low nibbles: byte 64h + 32p + k holds weight k of sub-block 4h + p (low
//     nibble)
//        and 4h + 2 + p (high nibble), p = 0, 1
//   128  64 bytes of top pairs: byte 32h + k holds weight k of sub-blocks 4h … 4h+3, lowest first
//   192  16 signed bytes: a scale for each 16 weights
//   208  f16 d

#include "pillar/quant/format.hpp"

namespace pillar::quant {

struct Q6_K {
    static constexpr Type type = Type::q6_k;
    static constexpr Rule rule = Rule::sub_scaled;
    static constexpr std::size_t weights = 256;
    static constexpr std::size_t bytes = 210;

    [[gnu::always_inline]] static Factors factors(const std::byte* block) noexcept {
        return {load_f16(block, 208)};
    }
    [[gnu::always_inline]] static void unpack(const std::byte* block, std::size_t sub,
                                              SubBlock& out) noexcept {
        const std::uint8_t* scales = bytes_at(block, 192 + 2 * sub);
        out.scale[0] = static_cast<std::int8_t>(scales[0]);
        out.scale[1] = static_cast<std::int8_t>(scales[1]);
        const std::uint8_t* nibbles = bytes_at(block, 64 * (sub / 4) + 32 * (sub % 2));
        const std::uint8_t* pairs = bytes_at(block, 128 + 32 * (sub / 4));
        const int nibble_shift = 4 * static_cast<int>(sub % 4 / 2);
        const int pair_shift = 2 * static_cast<int>(sub % 4);
        for (std::size_t k = 0; k < 32; ++k) {
            const int top = ((pairs[k] >> pair_shift) & 3) << 4;
            out.q[k] = static_cast<std::int8_t>(((nibbles[k] >> nibble_shift) & 15) + top - 32);
        }
    }
};

} // namespace pillar::quant
