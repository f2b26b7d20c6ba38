#pragma once
// Scale d and offset m of a block whose weights are d · n + m, n in 0 … highest: as in
// scaled_search.hpp, the search goes from numbers to the best d and m (two equations) and back,
// starting from several widths, a lane each.

#include "levels.hpp"

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
    float w = N;    ///< Σ w
    float x = 0.0f; ///< Σ w x
    BlockSums() = default;
    [[gnu::always_inline]] BlockSums(const float* values, const float* weights) {
        Lanes w_sum(0.0f);
        Lanes x_sum(0.0f);
        for (std::size_t i = 0; i < N; i += n_lanes) {
            w_sum += load(weights + i);
            x_sum += load(weights + i) * load(values + i);
        }
        w = sum(w_sum);
        x = sum(x_sum);
    }
};

/// Σ over the weights of w n, w n² and w x n.
struct NumberSums {
    Lanes n;
    Lanes nn;
    Lanes xn;
};

/// The best d and m for some numbers.
template <std::size_t N, Offset offset>
[[gnu::always_inline]] inline AffineLanes best_affine(const BlockSums<N>& block,
                                                      const NumberSums& sums) {
    const Lanes zero(0.0f);
    const Lanes determinant = Lanes(block.w) * sums.nn - sums.n * sums.n;
    const Mask regular = determinant > zero;
    AffineLanes best;
    best.d = (Lanes(block.w) * sums.xn - Lanes(block.x) * sums.n) / determinant;
    best.m = (sums.nn * Lanes(block.x) - sums.n * sums.xn) / determinant;
    if constexpr (offset == Offset::not_above_zero) {
        const Mask above = best.m > zero;
        best.d = select(above, sums.xn / sums.nn, best.d);
        best.m = select(above, zero, best.m);
    }
    best.gain = best.d * sums.xn + best.m * Lanes(block.x);
    best.gain = select(regular & (best.d > zero), best.gain, Lanes(-1.0f));
    return best;
}

/// The same for those that `inverse` and `m` give: n = nearest((x − m) · inverse).
template <int Highest, std::size_t N, Offset offset>
[[gnu::always_inline]] inline AffineLanes solve(const float* x, const float* w,
                                                const BlockSums<N>& block, Lanes inverse, Lanes m) {
    NumberSums sums{Lanes(0.0f), Lanes(0.0f), Lanes(0.0f)};
    const Lanes shift = m * inverse;
    for (std::size_t i = 0; i < N; ++i) {
        const Lanes n = WholeLevels<0, Highest>::nearest_level(Lanes(x[i]) * inverse - shift);
        const Lanes weighted = Lanes(w[i]) * n;
        sums.n += weighted;
        sums.nn += weighted * n;
        sums.xn += weighted * Lanes(x[i]);
    }
    return best_affine<N, offset>(block, sums);
}

/// The best d and m found for N weights. Weights that are all alike have d = 0.
template <int Highest, std::size_t N, Offset offset, int Rounds, int Sets>
[[gnu::always_inline]] inline Affine search_affine(const float* x, const float* w,
                                                   const BlockSums<N>& block, Widths widths) {
    auto [lowest, highest] = ends_of<N>(x);
    if constexpr (offset == Offset::not_above_zero) lowest = lowest < 0.0f ? lowest : 0.0f;
    const float range = highest - lowest;
    if (!(range >= 1e-15f)) return {0.0f, lowest};
    Affine best{range / Highest, lowest};
    float best_gain = -2.0f;
    for (int set = 0; set < Sets; ++set) {
        const float first = widths.first + widths.step * static_cast<float>(set * int{n_lanes});
        Lanes inverse = Lanes::counting_from(first, widths.step) * Lanes(Highest / range);
        Lanes m(lowest);
        AffineLanes found = solve<Highest, N, offset>(x, w, block, inverse, m);
        for (int round = 0; round < Rounds; ++round) {
            const Mask usable = found.gain > Lanes(-1.0f);
            inverse = select(usable, Lanes(1.0f) / found.d, inverse);
            m = select(usable, found.m, m);
            found = solve<Highest, N, offset>(x, w, block, inverse, m);
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
