#pragma once
// Q4_0: 32 weights in 18 bytes (4.5 bits a weight). weight = d · (n − 8), n in 0…15.
//   0  f16 d
//   2  16 bytes of nibbles: low ones are weights 0–15, high ones weights 16–31

#include "pillar/quant/format.hpp"

namespace pillar::quant {

struct Q4_0 {
    static constexpr Type type = Type::q4_0;
    static constexpr Rule rule = Rule::scaled;
    static constexpr std::size_t weights = 32;
    static constexpr std::size_t bytes = 18;

    [[gnu::always_inline]] static Factors factors(const std::byte* block) noexcept {
        return {load_f16(block, 0)};
    }
    [[gnu::always_inline]] static void unpack(const std::byte* block, std::size_t,
                                              SubBlock& out) noexcept {
        std::uint8_t n[32];
        load_nibbles(block, 2, n);
        for (std::size_t k = 0; k < 32; ++k) out.q[k] = static_cast<std::int8_t>(n[k] - 8);
    }
};

} // namespace pillar::quant
