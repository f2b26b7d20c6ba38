#pragma once
// Q3_K: 256 weights in 110 bytes (3.4375 bits a weight). weight = (d·(scale − 32))·(n − 4), n in
// 0…7.
//     0  32 bytes of third bits: bit s of byte k is the top bit of weight k of sub-block s
//    32  64 bytes of low pairs: byte 32h + k holds weight k of sub-blocks 4h … 4h+3, lowest first
//    96  12 bytes with sixteen 6-bit scales, one for each 16 weights: low nibbles of 0–7 and high
//        nibbles of 8–15 in bytes 0–7; top pairs of scale i in byte 8 + i%4 at bit 2·(i/4)
//   108  f16 d

#include "pillar/quant/format.hpp"

namespace pillar::quant {

struct Q3_K {
    static constexpr Type type = Type::q3_k;
    static constexpr Rule rule = Rule::sub_scaled;
    static constexpr std::size_t weights = 256;
    static constexpr std::size_t bytes = 110;

    [[gnu::always_inline]] static Factors factors(const std::byte* block) noexcept {
        return {load_f16(block, 108)};
    }
    [[gnu::always_inline]] static int scale(const std::byte* block, std::size_t i) noexcept {
        const std::uint8_t* fields = bytes_at(block, 96);
        const int low = i < 8 ? fields[i] & 15 : fields[i - 8] >> 4;
        const int top = (fields[8 + i % 4] >> (2 * (i / 4))) & 3;
        return (low | top << 4) - 32;
    }
    [[gnu::always_inline]] static void unpack(const std::byte* block, std::size_t sub,
                                              SubBlock& out) noexcept {
        out.scale[0] = scale(block, 2 * sub);
        out.scale[1] = scale(block, 2 * sub + 1);
        const std::uint8_t* third = bytes_at(block, 0);
        const std::uint8_t* pairs = bytes_at(block, 32 + 32 * (sub / 4));
        const int bit = static_cast<int>(sub);
        const int shift = 2 * static_cast<int>(sub % 4);
        for (std::size_t k = 0; k < 32; ++k) {
            const int top = ((third[k] >> bit) & 1) << 2;
            out.q[k] = static_cast<std::int8_t>(((pairs[k] >> shift) & 3) + top - 4);
        }
    }
};

} // namespace pillar::quant
