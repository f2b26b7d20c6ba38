#pragma once
// Q2_0: 64 weights in 18 bytes (2.25 bits a weight). weight = d · (n − 1), n in 0…3.
//   0  f16 d
//   2  16 bytes of 2-bit numbers: byte k / 4 holds weights 4 (k / 4) … + 3, lowest bits first

#include "pillar/quant/format.hpp"

namespace pillar::quant {

struct Q2_0 {
    static constexpr Type type = Type::q2_0;
    static constexpr Rule rule = Rule::scaled;
    static constexpr std::size_t weights = 64;
    static constexpr std::size_t bytes = 18;

    [[gnu::always_inline]] static Factors factors(const std::byte* block) noexcept {
        return {load_f16(block, 0)};
    }
    [[gnu::always_inline]] static void unpack(const std::byte* block, std::size_t sub,
                                              SubBlock& out) noexcept {
        const std::uint8_t* pairs = bytes_at(block, 2 + 8 * sub);
        for (std::size_t k = 0; k < 32; ++k)
            out.q[k] = static_cast<std::int8_t>(((pairs[k / 4] >> (2 * (k % 4))) & 3) - 1);
    }
};

} // namespace pillar::quant
