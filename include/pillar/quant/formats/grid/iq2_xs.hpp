#pragma once
// IQ2_XS: 256 weights in 74 bytes (2.3125 bits a weight). weight = (d/8 · (2·scale + 1)) · ±g, g a
// weight of a point.
//    0  f16 d
//    2  32 u16, one for 8 weights: the point's number in 9 bits, above them seven signs
//   66  8 bytes of 4-bit scales, one for each 16 weights: a sub-block's first is the low nibble

#include "pillar/quant/formats/grid/points.hpp"
#include "pillar/quant/formats/grid/tables/iq2_xs.hpp"

namespace pillar::quant {

struct IQ2_XS {
    static constexpr Type type = Type::iq2_xs;
    static constexpr Rule rule = Rule::sub_scaled;
    static constexpr std::size_t weights = 256;
    static constexpr std::size_t bytes = 74;

    [[gnu::always_inline]] static Factors factors(const std::byte* block) noexcept {
        return {load_f16(block, 0) * 0.125f};
    }
    [[gnu::always_inline]] static void unpack(const std::byte* block, std::size_t sub,
                                              SubBlock& out) noexcept {
        const int scales = *bytes_at(block, 66 + sub);
        out.scale[0] = 2 * (scales & 15) + 1;
        out.scale[1] = 2 * (scales >> 4) + 1;
        for (std::size_t i = 0; i < 4; ++i) {
            const unsigned word = load_u16(block, 2 + 8 * sub + 2 * i);
            put_iq2_point(iq2_xs_points[word & 511], complete_signs(word >> 9), out.q + 8 * i);
        }
    }
};

} // namespace pillar::quant
