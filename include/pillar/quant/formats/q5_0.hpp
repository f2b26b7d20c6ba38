#pragma once
// Q5_0: 32 weights in 22 bytes (5.5 bits a weight). weight = d · (n − 16), n in 0…31.
//   0  f16 d
//   2  u32 of fifth bits: bit k is the top bit of weight k
//   6  16 bytes of nibbles: low ones are weights 0–15, high ones weights 16–31

#include "pillar/quant/format.hpp"

namespace pillar::quant {

struct Q5_0 {
    static constexpr Type type = Type::q5_0;
    static constexpr Rule rule = Rule::scaled;
    static constexpr std::size_t weights = 32;
    static constexpr std::size_t bytes = 22;

    [[gnu::always_inline]] static Factors factors(const std::byte* block) noexcept {
        return {load_f16(block, 0)};
    }
    [[gnu::always_inline]] static void unpack(const std::byte* block, std::size_t,
                                              SubBlock& out) noexcept {
        const std::uint32_t fifth = load_u32(block, 2);
        std::uint8_t n[32];
        load_nibbles(block, 6, n);
        for (std::uint32_t k = 0; k < 32; ++k) {
            const auto top = static_cast<int>((fifth >> k) & 1u) << 4;
            out.q[k] = static_cast<std::int8_t>(n[k] + top - 16);
        }
    }
};

} // namespace pillar::quant
