#pragma once
// What the grid formats share. Their weights come in fours or eights, each a point of a fixed grid
// that a block names by its number; signs lie apart from it.

#include "pillar/quant/format.hpp"

namespace pillar::quant {

/// Seven of eight signs are kept; the number of negative ones is even.
[[gnu::always_inline]] inline unsigned complete_signs(unsigned seven) noexcept {
    return seven | static_cast<unsigned>(__builtin_parity(seven)) << 7;
}

/// Eight weights of IQ2_XXS, IQ2_XS or IQ2_S: weight k is negative where bit k of `signs` is set.
[[gnu::always_inline]] inline void put_iq2_point(unsigned point, unsigned signs,
                                                 std::int8_t* q) noexcept {
    constexpr std::int8_t values[4] = {8, 25, 43, 0}; // no point has a 3
    for (unsigned k = 0; k < 8; ++k) {
        const int value = values[(point >> (2 * k)) & 3];
        q[k] = static_cast<std::int8_t>(((signs >> k) & 1) != 0 ? -value : value);
    }
}

/// Four weights of IQ3_XXS or IQ3_S.
[[gnu::always_inline]] inline void put_iq3_point(unsigned point, unsigned signs,
                                                 const std::int8_t (&values)[8],
                                                 std::int8_t* q) noexcept {
    for (unsigned k = 0; k < 4; ++k) {
        const int value = values[(point >> (4 * k)) & 7];
        q[k] = static_cast<std::int8_t>(((signs >> k) & 1) != 0 ? -value : value);
    }
}

/// Eight weights of IQ1_S or IQ1_M: eight times the point's −1, 0 or 1, shifted by one.
[[gnu::always_inline]] inline void put_iq1_point(unsigned point, bool shifted_down,
                                                 std::int8_t* q) noexcept {
    const int shift = shifted_down ? -9 : -7;
    for (unsigned k = 0; k < 8; ++k)
        q[k] = static_cast<std::int8_t>(8 * static_cast<int>((point >> (2 * k)) & 3) + shift);
}

} // namespace pillar::quant
