#pragma once
// The scale d of a block whose weights are d · level: the one that makes Σ w (x − d · level)²
// small, w the weights of the errors. For given levels the best d is Σ w x l / Σ w l², and what it
// takes off the error is (Σ w x l)² / Σ w l²; for a given d the best levels are the nearest ones.
// The search starts from several scales near the one that brings the largest weight to an end of
// the levels, a lane each, and goes from levels to d and back.

#include "lanes.hpp"

#include <cmath>
#include <cstddef>

namespace pillar::quantize {

/// Below this a block is zero: f16 scales have no such small numbers.
inline constexpr float smallest_weight = 1e-15f;

/// Where the largest weight is brought to, as multiples of the levels' end: eight for one end and
/// eight for the other, or for one where both are alike.
struct Starts {
    float first = 0.85f;
    float step = 0.04f;
};

/// The value of the largest magnitude, with its sign.
template <std::size_t N>
[[gnu::always_inline]] inline float largest(const float* x) {
    const auto [lowest, highest] = ends_of<N>(x);
    return highest >= -lowest ? highest : lowest;
}

/// What a set of scales, a lane each, comes to.
struct ScaledSums {
    Lanes xl; ///< Σ w x l
    Lanes ll; ///< Σ w l²
    /// What the best d for these levels takes off the error.
    [[gnu::always_inline]] Lanes gain() const {
        return select(ll > Lanes(0.0f), xl * xl / ll, Lanes(0.0f));
    }
};

/// Even weights and odd ones have sums of their own, which no addition waits for the other's in.
template <class Levels, std::size_t N>
[[gnu::always_inline]] inline ScaledSums sums_of(const float* x, const float* w, Lanes inverse) {
    ScaledSums even{Lanes(0.0f), Lanes(0.0f)};
    ScaledSums odd = even;
    const auto add = [&](ScaledSums & sums, std::size_t i) __attribute__((always_inline)) {
        const Lanes level = Levels::nearest_level(Lanes(x[i]) * inverse);
        const Lanes weighted = Lanes(w[i]) * level;
        sums.xl += weighted * Lanes(x[i]);
        sums.ll += weighted * level;
    };
    for (std::size_t i = 0; i < N; i += 2) {
        add(even, i);
        add(odd, i + 1);
    }
    return {even.xl + odd.xl, even.ll + odd.ll};
}

/// The best d found for N weights; 0 for a block of zeros. `Rounds` times the levels follow d.
template <class Levels, std::size_t N, int Rounds>
[[gnu::always_inline]] inline float search_scale(const float* x, const float* w, Starts starts) {
    const float extreme = largest<N>(x);
    if (!(std::fabs(extreme) >= smallest_weight)) return 0.0f;
    float best_gain = 0.0f;
    float best = extreme / Levels::lowest;
    constexpr bool ends_are_alike = Levels::lowest == -Levels::highest;
    for (const float end : {Levels::lowest, Levels::highest}) {
        if (ends_are_alike && end > 0.0f) break;
        Lanes inverse = Lanes::counting_from(starts.first, starts.step) * Lanes(end / extreme);
        ScaledSums sums = sums_of<Levels, N>(x, w, inverse);
        for (int round = 0; round < Rounds; ++round) {
            inverse = select(sums.xl * sums.xl > Lanes(0.0f), sums.ll / sums.xl, inverse);
            sums = sums_of<Levels, N>(x, w, inverse);
        }
        const Lanes gain = sums.gain();
        const std::size_t lane = largest_lane(gain);
        if (gain[lane] > best_gain) {
            best_gain = gain[lane];
            best = sums.xl[lane] / sums.ll[lane];
        }
    }
    return best;
}

} // namespace pillar::quantize
