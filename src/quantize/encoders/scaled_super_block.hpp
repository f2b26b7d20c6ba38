#pragma once
// 256 weights in sub-blocks of N, each with a small whole scale of its own beside the block's f16
// d: weight = d · scale · level. Each sub-block's best scale is searched first; then, for a d,
// eight whole scales near it are tried with the error they really make, a lane each; d follows from
// what was chosen, and the choice is made again.

#include "pack.hpp"
#include "scaled_search.hpp"

#include <array>

namespace pillar::quantize {

template <std::size_t N>
struct ScaledSuperBlock {
    std::uint16_t d = 0; ///< f16
    std::array<std::int32_t, 256 / N> scale{};
    std::uint8_t n[256]{}; ///< places of the levels
};

/// Σ over the sub-blocks for the best d: of w x (s l) and w (s l)².
struct ScaleFit {
    float xy = 0.0f;
    float yy = 0.0f;
};

/// The whole scale for N weights, near `ideal`; adds to `fit`.
template <class Levels, std::size_t N, int Lowest, int Highest>
[[gnu::always_inline]] inline std::int32_t choose_scale(const float* x, const float* w, float ideal,
                                                        float d, ScaleFit& fit) {
    const Lanes scale =
        clamp(Lanes::counting_from(nearest(ideal / d) - 4.0f, 1.0f), Lanes(Lowest), Lanes(Highest));
    const Lanes product = scale * Lanes(d);
    const Lanes inverse =
        select(product * product > Lanes(0.0f), Lanes(1.0f) / product, Lanes(0.0f));
    const ScaledSums sums = sums_of<Levels, N>(x, w, inverse);
    const Lanes gain = product * (sums.xl + sums.xl - product * sums.ll);
    const std::size_t lane = largest_lane(gain);
    fit.xy += scale[lane] * sums.xl[lane];
    fit.yy += scale[lane] * scale[lane] * sums.ll[lane];
    return static_cast<std::int32_t>(scale[lane]);
}

template <class Levels, std::size_t N, int Lowest, int Highest, int Rounds>
[[gnu::always_inline]] inline ScaledSuperBlock<N> scaled_super_block(const float* x, const float* w,
                                                                     Starts starts) {
    constexpr std::size_t n_subs = 256 / N;
    ScaledSuperBlock<N> block;
    std::array<float, n_subs> ideal{};
    for (std::size_t s = 0; s < n_subs; ++s)
        ideal[s] = search_scale<Levels, N, Rounds>(x + N * s, w + N * s, starts);
    block.d = to_nonzero_f16(largest<n_subs>(ideal.data()) / Lowest);
    float d = f16_to_f32(block.d);
    for (int round = 0; round < 2 && d != 0.0f; ++round) {
        ScaleFit fit;
        for (std::size_t s = 0; s < n_subs; ++s)
            block.scale[s] =
                choose_scale<Levels, N, Lowest, Highest>(x + N * s, w + N * s, ideal[s], d, fit);
        if (round == 0 && fit.yy > 0.0f && fit.xy > 0.0f) {
            block.d = to_nonzero_f16(fit.xy / fit.yy);
            d = f16_to_f32(block.d);
        }
    }
    for (std::size_t s = 0; s < n_subs; ++s) {
        const float product = d * static_cast<float>(block.scale[s]);
        const float inverse = product == 0.0f ? 0.0f : 1.0f / product;
        store_indices<Levels, N>(block.n + N * s, x + N * s, 0.0f, inverse);
    }
    return block;
}

} // namespace pillar::quantize
