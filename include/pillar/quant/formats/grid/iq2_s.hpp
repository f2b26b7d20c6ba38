#pragma once
// IQ2_S: 256 weights in 82 bytes (2.5625 bits a weight). weight = (d/8 · (2·scale + 1)) · ±g, g a
// weight of a point.
//    0  f16 d
//    2  32 bytes: the low 8 bits of the points' numbers, one for 8 weights
//   34  32 bytes of signs, lowest bit first
//   66  8 bytes: the top pairs of a sub-block's four numbers, lowest first
//   74  8 bytes of 4-bit scales, one for each 16 weights: a sub-block's first is the low nibble

#include "pillar/quant/formats/grid/points.hpp"
#include "pillar/quant/formats/grid/tables/iq2_s.hpp"

namespace pillar::quant {

struct IQ2_S {
    static constexpr Type type = Type::iq2_s;
    static constexpr Rule rule = Rule::sub_scaled;
    static constexpr std::size_t weights = 256;
    static constexpr std::size_t bytes = 82;

    [[gnu::always_inline]] static Factors factors(const std::byte* block) noexcept {
        return {load_f16(block, 0) * 0.125f};
    }
    [[gnu::always_inline]] static void unpack(const std::byte* block, std::size_t sub,
                                              SubBlock& out) noexcept {
        const int scales = *bytes_at(block, 74 + sub);
        out.scale[0] = 2 * (scales & 15) + 1;
        out.scale[1] = 2 * (scales >> 4) + 1;
        const std::uint8_t* low = bytes_at(block, 2 + 4 * sub);
        const std::uint8_t* signs = bytes_at(block, 34 + 4 * sub);
        const unsigned top = *bytes_at(block, 66 + sub);
        for (std::size_t i = 0; i < 4; ++i)
            put_iq2_point(iq2_s_points[low[i] | ((top >> (2 * i)) & 3) << 8], signs[i],
                          out.q + 8 * i);
    }
};

} // namespace pillar::quant
