#pragma once
// 256 weights in sub-blocks of N, each with a whole scale and a whole min beside the block's f16 d
// and dmin: weight = d · scale · n − dmin · min. Rounding a sub-block's scale moves its best min
// along, so pairs of both are tried with the error they really make, a lane each; d and dmin then
// follow from what was chosen (two equations over all 256), and the choice is made again.

#include "affine_search.hpp"
#include "levels.hpp"
#include "pack.hpp"

#include <array>
#include <cmath>

namespace pillar::quantize {

template <std::size_t N>
struct AffineSuperBlock {
    std::uint16_t d = 0;    ///< f16
    std::uint16_t dmin = 0; ///< f16
    std::uint8_t scale[256 / N]{};
    std::uint8_t min[256 / N]{};
    std::uint8_t n[256]{};
};

/// The f16 factors of a block in the making.
struct SuperFactors {
    float d = 0.0f;
    float dmin = 0.0f;
};

/// Sums for the best d and dmin: y = scale · n, z = min.
struct AffineFit {
    float yy = 0.0f, yz = 0.0f, zz = 0.0f, xy = 0.0f, xz = 0.0f;

    [[gnu::always_inline]] SuperFactors solve(SuperFactors before) const {
        const float determinant = yy * zz - yz * yz;
        if (!(determinant > 1e-6f * yy * zz)) { // no mins, or all in proportion: d alone
            const float d = (xy + before.dmin * yz) / yy;
            return d > 0.0f ? SuperFactors{d, before.dmin} : before;
        }
        const SuperFactors found{(xy * zz - xz * yz) / determinant,
                                 (xy * yz - xz * yy) / determinant};
        return found.d > 0.0f && found.dmin > 0.0f ? found : before;
    }
};

/// Lanes 2i and 2i + 1 have the i-th scale, with the min below and above its best one.
inline constexpr Floats scale_offsets = {-1, -1, 0, 0, 1, 1, 2, 2};
inline constexpr Floats min_offsets = {0, 1, 0, 1, 0, 1, 0, 1};

struct ChosenPair {
    std::uint8_t scale = 0;
    std::uint8_t min = 0;
};

/// The whole scale and min for N weights, near `ideal`; adds to `fit`.
template <int HighestN, std::size_t N, int HighestScale>
[[gnu::always_inline]] inline ChosenPair choose_pair(const float* x, const float* w, Affine ideal,
                                                     const BlockSums<N>& sums, SuperFactors factors,
                                                     AffineFit& fit) {
    const Lanes zero(0.0f);
    const float wanted = factors.d > 0.0f ? ideal.d / factors.d : 0.0f;
    const Lanes scale =
        clamp(Lanes(std::floor(wanted)) + Lanes(scale_offsets), zero, Lanes(HighestScale));
    const Lanes d = scale * Lanes(factors.d);
    // Σ w n of the ideal solution, which these numbers will be near to
    const float n_ideal = ideal.d > 0.0f ? (sums.x - sums.w * ideal.m) / ideal.d : 0.0f;
    const Lanes offset = (Lanes(sums.x) - d * Lanes(n_ideal)) / Lanes(sums.w);
    Lanes min = zero;
    if (factors.dmin > 0.0f) {
        const Lanes exact = clamp(zero - offset / Lanes(factors.dmin), zero, Lanes(HighestScale));
        min = clamp(nearest(exact - Lanes(0.5f)) + Lanes(min_offsets), zero, Lanes(HighestScale));
    }
    const Lanes m = min * Lanes(factors.dmin);
    const Lanes inverse = select(d > zero, Lanes(1.0f) / d, zero);
    const Lanes shift = m * inverse;
    Lanes n_sum = zero;
    Lanes nn_sum = zero;
    Lanes xn_sum = zero;
    for (std::size_t i = 0; i < N; ++i) {
        const Lanes n = WholeLevels<0, HighestN>::nearest_level(Lanes(x[i]) * inverse + shift);
        const Lanes weighted = Lanes(w[i]) * n;
        n_sum += weighted;
        nn_sum += weighted * n;
        xn_sum += weighted * Lanes(x[i]);
    }
    // what is taken off Σ w x² by d n − m
    const Lanes two(2.0f);
    const Lanes gain = d * (two * xn_sum - d * nn_sum) - two * m * Lanes(sums.x) -
                       m * (m * Lanes(sums.w) - two * d * n_sum);
    const std::size_t lane = largest_lane(gain);
    fit.yy += scale[lane] * scale[lane] * nn_sum[lane];
    fit.yz += scale[lane] * min[lane] * n_sum[lane];
    fit.zz += min[lane] * min[lane] * sums.w;
    fit.xy += scale[lane] * xn_sum[lane];
    fit.xz += min[lane] * sums.x;
    return {static_cast<std::uint8_t>(scale[lane]), static_cast<std::uint8_t>(min[lane])};
}

template <int HighestN, std::size_t N, int HighestScale, int Rounds, int Sets>
[[gnu::always_inline]] inline AffineSuperBlock<N> affine_super_block(const float* x, const float* w,
                                                                     Widths widths) {
    constexpr std::size_t n_subs = 256 / N;
    AffineSuperBlock<N> block;
    std::array<Affine, n_subs> ideal;
    float largest_d = 0.0f;
    float largest_min = 0.0f;
    std::array<BlockSums<N>, n_subs> sums;
    for (std::size_t s = 0; s < n_subs; ++s) {
        sums[s] = BlockSums<N>(x + N * s, w + N * s);
        ideal[s] = search_affine<HighestN, N, Offset::not_above_zero, Rounds, Sets>(
            x + N * s, w + N * s, sums[s], widths);
        largest_d = ideal[s].d > largest_d ? ideal[s].d : largest_d;
        largest_min = -ideal[s].m > largest_min ? -ideal[s].m : largest_min;
    }
    block.d = to_nonzero_f16(largest_d / HighestScale);
    block.dmin = to_nonzero_f16(largest_min / HighestScale);
    SuperFactors factors{f16_to_f32(block.d), f16_to_f32(block.dmin)};
    for (int round = 0; round < 2 && factors.d + factors.dmin > 0.0f; ++round) {
        AffineFit fit;
        for (std::size_t s = 0; s < n_subs; ++s) {
            const ChosenPair chosen = choose_pair<HighestN, N, HighestScale>(
                x + N * s, w + N * s, ideal[s], sums[s], factors, fit);
            block.scale[s] = chosen.scale;
            block.min[s] = chosen.min;
        }
        if (round == 0) {
            const SuperFactors better = fit.solve(factors);
            block.d = to_nonzero_f16(better.d);
            block.dmin = to_nonzero_f16(better.dmin);
            factors = {f16_to_f32(block.d), f16_to_f32(block.dmin)};
        }
    }
    for (std::size_t s = 0; s < n_subs; ++s) {
        const float d = factors.d * static_cast<float>(block.scale[s]);
        const float m = factors.dmin * static_cast<float>(block.min[s]);
        const float inverse = d == 0.0f ? 0.0f : 1.0f / d;
        store_indices<WholeLevels<0, HighestN>, N>(block.n + N * s, x + N * s, m, inverse);
    }
    return block;
}

} // namespace pillar::quantize
