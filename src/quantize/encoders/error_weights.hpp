#pragma once
// How much the error of each weight of a block counts: as its column's importance says, and more
// for weights that are large against the others. (A product's error is Σ error · activation. Where
// nothing is known of the activations, experience says that large weights matter more than their
// squared error tells; an importance matrix leaves less of that to guess.)

#include "lanes.hpp"

#include <cmath>
#include <cstddef>

namespace pillar::quantize {

/// `importance` is nullptr or holds N values; their common factor means nothing.
template <std::size_t N>
[[gnu::always_inline]] inline void error_weights(const float* x, const float* importance,
                                                 float* w) {
    Lanes squares(0.0f);
    for (std::size_t i = 0; i < N; i += n_lanes) squares += load(x + i) * load(x + i);
    const float rms = std::sqrt(sum(squares) / N);
    if (!(rms > 0.0f)) { // zeros, or too small to be squared
        for (std::size_t i = 0; i < N; ++i) w[i] = 1.0f;
        return;
    }
    const float inverse = 1.0f / rms;
    if (importance == nullptr)
        for (std::size_t i = 0; i < N; ++i) w[i] = 0.5f + std::fabs(x[i]) * inverse;
    else
        for (std::size_t i = 0; i < N; ++i)
            w[i] = importance[i] * (2.0f + std::fabs(x[i]) * inverse);
}

/// The importance alone, for formats with so few levels that only the plain error makes sense.
template <std::size_t N>
[[gnu::always_inline]] inline void plain_weights(const float* importance, float* w) {
    for (std::size_t i = 0; i < N; ++i) w[i] = importance == nullptr ? 1.0f : importance[i];
}

} // namespace pillar::quantize
