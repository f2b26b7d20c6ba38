#pragma once
// TQ2_0: 256 weights in 66 bytes (2.0625 bits a weight). weight = d · (n − 1), n in 0…3; trained
// models have 0…2.
//    0  64 bytes of 2-bit numbers: byte 32h + k holds weight k of sub-blocks 4h … 4h+3, lowest bits
//       first
//   64  f16 d

#include "pillar/quant/format.hpp"

namespace pillar::quant {

struct TQ2_0 {
    static constexpr Type type = Type::tq2_0;
    static constexpr Rule rule = Rule::scaled;
    static constexpr std::size_t weights = 256;
    static constexpr std::size_t bytes = 66;

    [[gnu::always_inline]] static Factors factors(const std::byte* block) noexcept {
        return {load_f16(block, 64)};
    }
    [[gnu::always_inline]] static void unpack(const std::byte* block, std::size_t sub,
                                              SubBlock& out) noexcept {
        const std::uint8_t* pairs = bytes_at(block, 32 * (sub / 4));
        const int shift = 2 * static_cast<int>(sub % 4);
        for (std::size_t k = 0; k < 32; ++k)
            out.q[k] = static_cast<std::int8_t>(((pairs[k] >> shift) & 3) - 1);
    }
};

} // namespace pillar::quant
