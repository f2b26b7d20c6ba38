#pragma once
// IQ3_S: 256 weights in 110 bytes (3.4375 bits a weight). weight = (d · (2·scale + 1)) · ±g, g a
// weight of a point.
//     0  f16 d
//     2  64 bytes: the low 8 bits of the points' numbers, one for 4 weights
//    66  8 bytes: the top bits of a sub-block's eight numbers, lowest first
//    74  32 bytes of signs, lowest bit first
//   106  4 bytes of 4-bit scales, one a sub-block, low nibble first

#include "pillar/quant/formats/grid/points.hpp"
#include "pillar/quant/formats/grid/tables/iq3_s.hpp"

namespace pillar::quant {

struct IQ3_S {
    static constexpr Type type = Type::iq3_s;
    static constexpr Rule rule = Rule::sub_scaled;
    static constexpr std::size_t weights = 256;
    static constexpr std::size_t bytes = 110;
    static constexpr std::int8_t values[8] = {1, 3, 5, 7, 9, 11, 13, 15};

    [[gnu::always_inline]] static Factors factors(const std::byte* block) noexcept {
        return {load_f16(block, 0)};
    }
    [[gnu::always_inline]] static void unpack(const std::byte* block, std::size_t sub,
                                              SubBlock& out) noexcept {
        const int scale = (*bytes_at(block, 106 + sub / 2) >> (4 * (sub % 2))) & 15;
        out.scale[0] = out.scale[1] = 2 * scale + 1;
        const std::uint8_t* low = bytes_at(block, 2 + 8 * sub);
        const std::uint8_t* signs = bytes_at(block, 74 + 4 * sub);
        const unsigned top = *bytes_at(block, 66 + sub);
        for (std::size_t i = 0; i < 8; ++i)
            put_iq3_point(iq3_s_points[low[i] | ((top >> i) & 1) << 8],
                          signs[i / 2] >> (4 * (i % 2)), values, out.q + 4 * i);
    }
};

} // namespace pillar::quant
