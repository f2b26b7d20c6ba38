#pragma once
// The numbers that a format can multiply a scale by, as a search sees them: the nearest one to a
// weight that has been divided by the scale, in lanes and one by one, and the two ends.

#include "lanes.hpp"

#include "pillar/quant/formats/iq4_nl.hpp"

#include <algorithm>
#include <array>

namespace pillar::quantize {

/// All whole numbers from `Lowest` to `Highest`.
template <int Lowest, int Highest>
struct WholeLevels {
    static constexpr float lowest = Lowest;
    static constexpr float highest = Highest;

    [[gnu::always_inline]] static Lanes nearest_level(Lanes a) {
        return nearest(clamp(a, Lanes(lowest), Lanes(highest)));
    }
    /// The level's place, from 0.
    [[gnu::always_inline]] static std::uint8_t index(float a) {
        const float kept = a > lowest ? (a < highest ? a : highest) : lowest;
        return static_cast<std::uint8_t>(static_cast<int>(nearest(kept)) - Lowest);
    }
    [[gnu::always_inline]] static float level(std::uint8_t index) {
        return static_cast<float>(index + Lowest);
    }
};

/// One or minus one: the sign.
struct SignLevels {
    static constexpr float lowest = -1.0f;
    static constexpr float highest = 1.0f;

    [[gnu::always_inline]] static std::uint8_t index(float a) { return a >= 0.0f ? 1 : 0; }
    [[gnu::always_inline]] static float level(std::uint8_t index) {
        return index != 0 ? 1.0f : -1.0f;
    }
};

/// The sixteen levels of IQ4_NL and IQ4_XS.
struct Iq4Levels {
    static constexpr float lowest = -127.0f;
    static constexpr float highest = 113.0f;

    [[gnu::always_inline]] static Lanes nearest_level(Lanes a) {
        Lanes level(lowest);
        for (std::size_t i = 0; i < 15; ++i)
            level += only(a >= Lanes(middle(i)), Lanes(value(i + 1) - value(i)));
        return level;
    }
    [[gnu::always_inline]] static std::uint8_t index(float a) {
        int above = 0;
        for (std::size_t i = 0; i < 15; ++i) above += a >= middle(i) ? 1 : 0;
        return static_cast<std::uint8_t>(above);
    }
    [[gnu::always_inline]] static float level(std::uint8_t index) { return value(index); }

  private:
    [[gnu::always_inline]] static constexpr float value(std::size_t i) {
        return quant::iq4_values[i];
    }
    [[gnu::always_inline]] static constexpr float middle(std::size_t i) {
        return 0.5f * (value(i) + value(i + 1));
    }
};

} // namespace pillar::quantize
