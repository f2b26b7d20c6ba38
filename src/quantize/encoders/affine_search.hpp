#pragma once
// Scale d and offset m of a block whose weights are d · n + m, n in 0 … highest: as in
// scaled_search.hpp, the search goes from numbers to the best d and m (two equations) and back,
// starting from several widths, a lane each.

#include "lanes.hpp"

#include <algorithm>
#include <cstddef>

namespace pillar::quantize {

struct Affine {
    float d = 0.0f;
    float m = 0.0f;
};

/// How many times the range of the weights is to span `highest` steps, for the first and from lane
/// to lane.
struct Widths {
    float first = 0.85f;
    float step = 0.03f;
};

/// Which offsets there are.
enum class Offset {
    any,
    not_above_zero, ///< the K formats subtract a positive one
};

struct AffineLanes {
    Lanes d;
    Lanes m;
    Lanes gain; ///< what d and m take off the error, against weights that are all zero
};

template <std::size_t N>
struct BlockSums {
    float w = 0.0f; ///< Σ w
    float x = 0.0f; ///< Σ w x
    [[gnu::always_inline]] BlockSums(const float* values, const float* weights) {
        for (std::size_t i = 0; i < N; ++i) {
            w += weights[i];
            x += weights[i] * values[i];
        }
    }
};

/// The best d and m for the numbers that `inverse` and `m` give: n = nearest((x − m) · inverse).
template <int Highest, std::size_t N, Offset offset>
[[gnu::always_inline]] inline AffineLanes solve(const float* x, const float* w,
                                                const BlockSums<N>& sums, Lanes inverse, Lanes m) {
    Lanes n_sum(0.0f);
    Lanes nn_sum(0.0f);
    Lanes xn_sum(0.0f);
    const Lanes zero(0.0f);
    const Lanes shift = m * inverse;
    for (std::size_t i = 0; i < N; ++i) {
        const Lanes n = nearest(clamp(Lanes(x[i]) * inverse - shift, zero, Lanes(Highest)));
        const Lanes weighted = Lanes(w[i]) * n;
        n_sum += weighted;
        nn_sum += weighted * n;
        xn_sum += weighted * Lanes(x[i]);
    }
    const Lanes determinant = Lanes(sums.w) * nn_sum - n_sum * n_sum;
    const Mask regular = determinant > zero;
    AffineLanes best;
    best.d = (Lanes(sums.w) * xn_sum - Lanes(sums.x) * n_sum) / determinant;
    best.m = (nn_sum * Lanes(sums.x) - n_sum * xn_sum) / determinant;
    if constexpr (offset == Offset::not_above_zero) {
        const Mask above = best.m > zero;
        best.d = select(above, xn_sum / nn_sum, best.d);
        best.m = select(above, zero, best.m);
    }
    best.gain = best.d * xn_sum + best.m * Lanes(sums.x);
    best.gain = select(regular & (best.d > zero), best.gain, Lanes(-1.0f));
    return best;
}

/// The best d and m found for N weights. Weights that are all alike have d = 0.
template <int Highest, std::size_t N, Offset offset, int Rounds, int Sets>
[[gnu::always_inline]] inline Affine search_affine(const float* x, const float* w, Widths widths) {
    float lowest = x[0];
    float highest = x[0];
    for (std::size_t i = 1; i < N; ++i) {
        lowest = x[i] < lowest ? x[i] : lowest;
        highest = x[i] > highest ? x[i] : highest;
    }
    if constexpr (offset == Offset::not_above_zero) lowest = lowest < 0.0f ? lowest : 0.0f;
    const float range = highest - lowest;
    if (!(range >= 1e-15f)) return {0.0f, lowest};
    const BlockSums<N> sums(x, w);
    Affine best{range / Highest, lowest};
    float best_gain = -2.0f;
    for (int set = 0; set < Sets; ++set) {
        const float first = widths.first + widths.step * static_cast<float>(set * int{n_lanes});
        Lanes inverse = Lanes::counting_from(first, widths.step) * Lanes(Highest / range);
        Lanes m(lowest);
        AffineLanes found = solve<Highest, N, offset>(x, w, sums, inverse, m);
        for (int round = 0; round < Rounds; ++round) {
            const Mask usable = found.gain > Lanes(-1.0f);
            inverse = select(usable, Lanes(1.0f) / found.d, inverse);
            m = select(usable, found.m, m);
            found = solve<Highest, N, offset>(x, w, sums, inverse, m);
        }
        const std::size_t lane = largest_lane(found.gain);
        if (found.gain[lane] > best_gain) {
            best_gain = found.gain[lane];
            if (found.gain[lane] > -1.0f) best = {found.d[lane], found.m[lane]};
        }
    }
    return best;
}

} // namespace pillar::quantize
