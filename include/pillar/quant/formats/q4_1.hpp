#pragma once
// Q4_1: 32 weights in 20 bytes (5 bits a weight). weight = d · n + m, n in 0…15.
//   0  f16 d
//   2  f16 m
//   4  16 bytes of nibbles: low ones are weights 0–15, high ones weights 16–31

#include "pillar/quant/format.hpp"

namespace pillar::quant {

struct Q4_1 {
    static constexpr Type type = Type::q4_1;
    static constexpr Rule rule = Rule::affine;
    static constexpr std::size_t weights = 32;
    static constexpr std::size_t bytes = 20;

    [[gnu::always_inline]] static Factors factors(const std::byte* block) noexcept {
        return {load_f16(block, 0), load_f16(block, 2)};
    }
    [[gnu::always_inline]] static void unpack(const std::byte* block, std::size_t,
                                              SubBlock& out) noexcept {
        std::uint8_t n[32];
        load_nibbles(block, 4, n);
        for (std::size_t k = 0; k < 32; ++k) out.q[k] = static_cast<std::int8_t>(n[k]);
    }
};

} // namespace pillar::quant
