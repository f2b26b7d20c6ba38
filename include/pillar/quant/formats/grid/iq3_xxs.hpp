#pragma once
// IQ3_XXS: 256 weights in 98 bytes (3.0625 bits a weight). weight = (d/4 · (2·scale + 1)) · ±g, g a
// weight of a point.
//    0  f16 d
//    2  64 bytes: the points' numbers, one for 4 weights
//   66  a u32 a sub-block: four times seven signs, lowest first, and the scale in its top four bits

#include "pillar/quant/formats/grid/points.hpp"
#include "pillar/quant/formats/grid/tables/iq3_xxs.hpp"

namespace pillar::quant {

struct IQ3_XXS {
    static constexpr Type type = Type::iq3_xxs;
    static constexpr Rule rule = Rule::sub_scaled;
    static constexpr std::size_t weights = 256;
    static constexpr std::size_t bytes = 98;
    static constexpr std::int8_t values[8] = {4, 12, 20, 28, 36, 44, 52, 62};

    [[gnu::always_inline]] static Factors factors(const std::byte* block) noexcept {
        return {load_f16(block, 0) * 0.25f};
    }
    [[gnu::always_inline]] static void unpack(const std::byte* block, std::size_t sub,
                                              SubBlock& out) noexcept {
        const std::uint8_t* numbers = bytes_at(block, 2 + 8 * sub);
        const std::uint32_t rest = load_u32(block, 66 + 4 * sub);
        out.scale[0] = out.scale[1] = static_cast<std::int32_t>(2 * (rest >> 28) + 1);
        for (std::size_t i = 0; i < 4; ++i) {
            const unsigned signs = complete_signs((rest >> (7 * i)) & 127);
            put_iq3_point(iq3_xxs_points[numbers[2 * i]], signs, values, out.q + 8 * i);
            put_iq3_point(iq3_xxs_points[numbers[2 * i + 1]], signs >> 4, values,
                          out.q + 8 * i + 4);
        }
    }
};

} // namespace pillar::quant
