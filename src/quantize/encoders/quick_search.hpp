#pragma once
// For the plain formats where nothing is known of the columns: others round there without a search,
// and here it must not take much longer. All errors count alike, four scales are tried and none is
// followed further; lanes are weights, and each start has sums of its own.

#include "affine_block.hpp"
#include "scaled_block.hpp"

namespace pillar::quantize {

inline constexpr std::size_t n_quick = 4;

/// Where the largest weight is brought to, as multiples of the lowest level, and of the highest.
struct QuickStarts {
    float narrow = 1.0f;
    float wide = 1.0f;
};

template <class Levels, std::size_t N>
[[gnu::always_inline]] inline float quick_scale(const float* x, QuickStarts starts) {
    const float extreme = largest<N>(x);
    if (!(std::fabs(extreme) >= smallest_weight)) return 0.0f;
    const float inverse = 1.0f / extreme;
    const float inverses[n_quick] = {
        starts.narrow * Levels::lowest * inverse, starts.wide * Levels::lowest * inverse,
        starts.narrow * Levels::highest * inverse, starts.wide * Levels::highest * inverse};
    Lanes xl[n_quick];
    Lanes ll[n_quick];
    for (std::size_t start = 0; start < n_quick; ++start) {
        xl[start] = Lanes(0.0f);
        ll[start] = Lanes(0.0f);
        for (std::size_t i = 0; i < N; i += n_lanes) {
            const Lanes level = Levels::nearest_level(load(x + i) * Lanes(inverses[start]));
            xl[start] += load(x + i) * level;
            ll[start] += level * level;
        }
    }
    const ScaledSums sums{four_sums(xl), four_sums(ll)};
    const Lanes gain = sums.gain();
    const std::size_t lane = largest_lane(gain);
    return gain[lane] > 0.0f ? sums.xl[lane] / sums.ll[lane] : extreme / Levels::lowest;
}

template <int Highest, std::size_t N>
[[gnu::always_inline]] inline Affine quick_affine(const float* x, Widths widths) {
    const auto [lowest, highest] = ends_of<N>(x);
    const float range = highest - lowest;
    if (!(range >= smallest_weight)) return {0.0f, lowest};
    Lanes x_sum(0.0f);
    Lanes n_sum[n_quick];
    Lanes nn_sum[n_quick];
    Lanes xn_sum[n_quick];
    for (std::size_t i = 0; i < N; i += n_lanes) x_sum += load(x + i);
    for (std::size_t start = 0; start < n_quick; ++start) {
        const float inverse =
            (widths.first + widths.step * static_cast<float>(start)) * (Highest / range);
        n_sum[start] = Lanes(0.0f);
        nn_sum[start] = Lanes(0.0f);
        xn_sum[start] = Lanes(0.0f);
        for (std::size_t i = 0; i < N; i += n_lanes) {
            const Lanes n = WholeLevels<0, Highest>::nearest_level((load(x + i) - Lanes(lowest)) *
                                                                   Lanes(inverse));
            n_sum[start] += n;
            nn_sum[start] += n * n;
            xn_sum[start] += n * load(x + i);
        }
    }
    BlockSums<N> block;
    block.x = sum(x_sum);
    const AffineLanes best = best_affine<N, Offset::any>(
        block, {four_sums(n_sum), four_sums(nn_sum), four_sums(xn_sum)});
    const std::size_t lane = largest_lane(best.gain);
    return best.gain[lane] > -1.0f ? Affine{best.d[lane], best.m[lane]}
                                   : Affine{range / Highest, lowest};
}

} // namespace pillar::quantize
