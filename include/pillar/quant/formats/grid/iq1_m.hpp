#pragma once
// IQ1_M: 256 weights in 56 bytes (1.75 bits a weight). weight = (d · (2·scale + 1)) · (g ± 1/8) =
// (d/8 · (2·scale + 1)) · (8g ± 1), g a weight of a point.
//    0  32 bytes: the low 8 bits of the points' numbers, one for 8 weights
//   32  16 bytes of nibbles, one for 8 weights, low one first: the number's top triple, and the top
//       bit set where it is −1/8
//   48  four u16, one for two sub-blocks: four scales of three bits, one for 16 weights, lowest
//       first; in the top nibbles of the four, lowest first, f16 d

#include "pillar/quant/formats/grid/points.hpp"
#include "pillar/quant/formats/grid/tables/iq1.hpp"

namespace pillar::quant {

struct IQ1_M {
    static constexpr Type type = Type::iq1_m;
    static constexpr Rule rule = Rule::sub_scaled;
    static constexpr std::size_t weights = 256;
    static constexpr std::size_t bytes = 56;

    [[gnu::always_inline]] static Factors factors(const std::byte* block) noexcept {
        unsigned d = 0;
        for (std::size_t i = 0; i < 4; ++i)
            d |= static_cast<unsigned>(*bytes_at(block, 49 + 2 * i) >> 4) << (4 * i);
        return {f16_to_f32(static_cast<std::uint16_t>(d)) * 0.125f};
    }
    [[gnu::always_inline]] static void unpack(const std::byte* block, std::size_t sub,
                                              SubBlock& out) noexcept {
        const int scales = load_u16(block, 48 + 2 * (sub / 2)) >> (6 * (sub % 2));
        out.scale[0] = 2 * (scales & 7) + 1;
        out.scale[1] = 2 * ((scales >> 3) & 7) + 1;
        const std::uint8_t* low = bytes_at(block, 4 * sub);
        const std::uint8_t* nibbles = bytes_at(block, 32 + 2 * sub);
        for (std::size_t i = 0; i < 4; ++i) {
            const unsigned nibble = nibbles[i / 2] >> (4 * (i % 2));
            put_iq1_point(iq1_points[low[i] | (nibble & 7) << 8], (nibble & 8) != 0, out.q + 8 * i);
        }
    }
};

} // namespace pillar::quant
