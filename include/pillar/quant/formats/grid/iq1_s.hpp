#pragma once
// IQ1_S: 256 weights in 50 bytes (1.5625 bits a weight). weight = (d · (2·scale + 1)) · (g ± 1/8) =
// (d/8 · (2·scale + 1)) · (8g ± 1), g a weight of a point.
//    0  f16 d
//    2  32 bytes: the low 8 bits of the points' numbers, one for 8 weights
//   34  a u16 a sub-block: the top triples of its four numbers, lowest first, at bit 12 the scale
//   in
//       three bits, the top bit set where it is −1/8

#include "pillar/quant/formats/grid/points.hpp"
#include "pillar/quant/formats/grid/tables/iq1.hpp"

namespace pillar::quant {

struct IQ1_S {
    static constexpr Type type = Type::iq1_s;
    static constexpr Rule rule = Rule::sub_scaled;
    static constexpr std::size_t weights = 256;
    static constexpr std::size_t bytes = 50;

    [[gnu::always_inline]] static Factors factors(const std::byte* block) noexcept {
        return {load_f16(block, 0) * 0.125f};
    }
    [[gnu::always_inline]] static void unpack(const std::byte* block, std::size_t sub,
                                              SubBlock& out) noexcept {
        const std::uint8_t* low = bytes_at(block, 2 + 4 * sub);
        const unsigned rest = load_u16(block, 34 + 2 * sub);
        out.scale[0] = out.scale[1] = static_cast<std::int32_t>(2 * ((rest >> 12) & 7) + 1);
        for (std::size_t i = 0; i < 4; ++i)
            put_iq1_point(iq1_points[low[i] | ((rest >> (3 * i)) & 7) << 8], (rest >> 15) != 0,
                          out.q + 8 * i);
    }
};

} // namespace pillar::quant
