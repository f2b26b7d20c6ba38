#pragma once
// IQ4_NL: 32 weights in 18 bytes (4.5 bits a weight). weight = d · iq4_values[n], n in 0…15.
//   0  f16 d
//   2  16 bytes of nibbles: low ones are weights 0–15, high ones weights 16–31

#include "pillar/quant/format.hpp"

namespace pillar::quant {

/// The sixteen levels of IQ4_NL and IQ4_XS, denser around zero.
inline constexpr std::int8_t iq4_values[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                               1,    13,   25,  38,  53,  69,  89,  113};

struct IQ4_NL {
    static constexpr Type type = Type::iq4_nl;
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
        for (std::size_t k = 0; k < 32; ++k) out.q[k] = iq4_values[n[k]];
    }
};

} // namespace pillar::quant
