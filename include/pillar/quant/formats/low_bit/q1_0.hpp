#pragma once
// Q1_0: 128 weights in 18 bytes (1.125 bits a weight). weight = d or −d.
//   0  f16 d
//   2  16 bytes of bits: bit k % 8 of byte k / 8 is set where weight k is d

#include "pillar/quant/format.hpp"

namespace pillar::quant {

struct Q1_0 {
    static constexpr Type type = Type::q1_0;
    static constexpr Rule rule = Rule::scaled;
    static constexpr std::size_t weights = 128;
    static constexpr std::size_t bytes = 18;

    [[gnu::always_inline]] static Factors factors(const std::byte* block) noexcept {
        return {load_f16(block, 0)};
    }
    [[gnu::always_inline]] static void unpack(const std::byte* block, std::size_t sub,
                                              SubBlock& out) noexcept {
        const std::uint32_t bits = load_u32(block, 2 + 4 * sub);
        for (std::size_t k = 0; k < 32; ++k)
            out.q[k] = static_cast<std::int8_t>(2 * static_cast<int>((bits >> k) & 1) - 1);
    }
};

} // namespace pillar::quant
