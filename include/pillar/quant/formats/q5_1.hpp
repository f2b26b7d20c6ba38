#pragma once
// Q5_1: 32 weights in 24 bytes (6 bits a weight). weight = d · n + m, n in 0…31.
//   0  f16 d
//   2  f16 m
//   4  u32 of fifth bits: bit k is the top bit of weight k
//   8  16 bytes of nibbles: low ones are weights 0–15, high ones weights 16–31

#include "pillar/quant/format.hpp"

namespace pillar::quant {

struct Q5_1 {
    static constexpr Type type = Type::q5_1;
    static constexpr Rule rule = Rule::affine;
    static constexpr std::size_t weights = 32;
    static constexpr std::size_t bytes = 24;

    [[gnu::always_inline]] static Factors factors(const std::byte* block) noexcept {
        return {load_f16(block, 0), load_f16(block, 2)};
    }
    [[gnu::always_inline]] static void unpack(const std::byte* block, std::size_t,
                                              SubBlock& out) noexcept {
        const std::uint32_t fifth = load_u32(block, 4);
        std::uint8_t n[32];
        load_nibbles(block, 8, n);
        for (std::uint32_t k = 0; k < 32; ++k) {
            const auto top = static_cast<int>((fifth >> k) & 1u) << 4;
            out.q[k] = static_cast<std::int8_t>(n[k] + top);
        }
    }
};

} // namespace pillar::quant
