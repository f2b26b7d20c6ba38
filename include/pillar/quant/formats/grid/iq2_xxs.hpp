#pragma once
// IQ2_XXS: 256 weights in 66 bytes (2.0625 bits a weight). weight = (d/8 · (2·scale + 1)) · ±g, g a
// weight of a point.
//   0  f16 d
//   2  8 bytes a sub-block: the numbers of four points, then a u32 of four times seven signs,
//   lowest
//      first, and the scale in its top four bits

#include "pillar/quant/formats/grid/points.hpp"
#include "pillar/quant/formats/grid/tables/iq2_xxs.hpp"

namespace pillar::quant {

struct IQ2_XXS {
    static constexpr Type type = Type::iq2_xxs;
    static constexpr Rule rule = Rule::sub_scaled;
    static constexpr std::size_t weights = 256;
    static constexpr std::size_t bytes = 66;

    [[gnu::always_inline]] static Factors factors(const std::byte* block) noexcept {
        return {load_f16(block, 0) * 0.125f};
    }
    [[gnu::always_inline]] static void unpack(const std::byte* block, std::size_t sub,
                                              SubBlock& out) noexcept {
        const std::uint8_t* numbers = bytes_at(block, 2 + 8 * sub);
        const std::uint32_t rest = load_u32(block, 6 + 8 * sub);
        out.scale[0] = out.scale[1] = static_cast<std::int32_t>(2 * (rest >> 28) + 1);
        for (std::size_t i = 0; i < 4; ++i)
            put_iq2_point(iq2_xxs_points[numbers[i]], complete_signs((rest >> (7 * i)) & 127),
                          out.q + 8 * i);
    }
};

} // namespace pillar::quant
