#pragma once
// IQ4_XS: 256 weights in 136 bytes (4.25 bits a weight). weight = (d·(scale − 32)) · iq4_values[n].
//   0  f16 d
//   2  u16: top pairs of the eight 6-bit scales, lowest first
//   4  4 bytes: their low nibbles, lowest first
//   8  128 bytes of nibbles, 16 a sub-block: low ones are its weights 0–15, high ones 16–31

#include "pillar/quant/formats/iq4_nl.hpp"

namespace pillar::quant {

struct IQ4_XS {
    static constexpr Type type = Type::iq4_xs;
    static constexpr Rule rule = Rule::sub_scaled;
    static constexpr std::size_t weights = 256;
    static constexpr std::size_t bytes = 136;

    [[gnu::always_inline]] static Factors factors(const std::byte* block) noexcept {
        return {load_f16(block, 0)};
    }
    [[gnu::always_inline]] static void unpack(const std::byte* block, std::size_t sub,
                                              SubBlock& out) noexcept {
        const int low = (bytes_at(block, 4)[sub / 2] >> (4 * (sub % 2))) & 15;
        const int top = (load_u16(block, 2) >> (2 * sub)) & 3;
        out.scale[0] = out.scale[1] = (low | top << 4) - 32;
        std::uint8_t n[32];
        load_nibbles(block, 8 + 16 * sub, n);
        for (std::size_t k = 0; k < 32; ++k) out.q[k] = iq4_values[n[k]];
    }
};

} // namespace pillar::quant
