#pragma once
// The numbers that a format can multiply a scale by, as a search sees them: the nearest one to a
// weight that has been divided by the scale, its place among them, and the two ends.

#include "lanes.hpp"

#include "pillar/quant/formats/iq4_nl.hpp"

#include <cstring>

namespace pillar::quantize {

/// All whole numbers from `Lowest` to `Highest`.
template <int Lowest, int Highest>
struct WholeLevels {
    static constexpr float lowest = Lowest;
    static constexpr float highest = Highest;

    [[gnu::always_inline]] static Lanes nearest_level(Lanes a) {
        return nearest(clamp(a, Lanes(lowest), Lanes(highest)));
    }
    /// The levels' places, from 0.
    [[gnu::always_inline]] static Numbers indices(Lanes a) {
        return {nearest_numbers(clamp(a, Lanes(lowest), Lanes(highest))).v - Lowest};
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
    [[gnu::always_inline]] static Numbers indices(Lanes a) {
        Numbers above{};
        for (std::size_t i = 0; i < 15; ++i) above.v -= (a >= Lanes(middle(i))).m;
        return above;
    }

  private:
    [[gnu::always_inline]] static constexpr float value(std::size_t i) {
        return quant::iq4_values[i];
    }
    [[gnu::always_inline]] static constexpr float middle(std::size_t i) {
        return 0.5f * (value(i) + value(i + 1));
    }
};

/// The places of the levels nearest to (x + offset) · inverse.
template <class Levels, std::size_t N>
[[gnu::always_inline]] inline void store_indices(std::uint8_t* n, const float* x, float offset,
                                                 float inverse) {
    std::int32_t indices[N];
    for (std::size_t i = 0; i < N; i += n_lanes) {
        const Numbers eight = Levels::indices((load(x + i) + Lanes(offset)) * Lanes(inverse));
        std::memcpy(indices + i, &eight, sizeof eight);
    }
    for (std::size_t i = 0; i < N; ++i) n[i] = static_cast<std::uint8_t>(indices[i]);
}

} // namespace pillar::quantize
