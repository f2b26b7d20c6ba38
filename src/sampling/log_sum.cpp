// Σ exp over a slice of the vocabulary: differences to the maximum and exponentials in f64, 256 at
// a time so that they stay in the first cache, added in 16 lanes.

#include "pillar/core/elementary.hpp"
#include "pillar/sampling/sampling.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace pillar::sampling {

namespace {

constexpr std::size_t n_lanes = 16;
constexpr std::size_t chunk = 16 * n_lanes;
constexpr float minus_infinity = -std::numeric_limits<float>::infinity();

/// x − max, 0 where both are the same infinity; NaN counts as −∞.
double below_max(float x, float max) noexcept {
    if (x == max) return 0.0;
    if (x != x) return -std::numeric_limits<double>::infinity();
    return static_cast<double>(x) - static_cast<double>(max);
}

float max_of(std::span<const float> logits) noexcept {
    std::array<float, n_lanes> lanes;
    lanes.fill(minus_infinity);
    for (std::size_t i = 0; i < logits.size(); ++i) {
        float& lane = lanes[i % n_lanes];
        lane = logits[i] > lane ? logits[i] : lane;
    }
    return *std::max_element(lanes.begin(), lanes.end());
}

} // namespace

LogSum log_sum(std::span<const float> logits) noexcept {
    const float max = max_of(logits);
    if (max == minus_infinity) return {max, 0.0};
    std::array<double, n_lanes> lanes{};
    std::array<double, chunk> terms;
    for (std::size_t begin = 0; begin < logits.size(); begin += chunk) {
        const std::size_t n = std::min(chunk, logits.size() - begin);
        for (std::size_t i = 0; i < n; ++i) terms[i] = below_max(logits[begin + i], max);
        for (std::size_t i = n; i < chunk; ++i) terms[i] = minus_infinity; // adds 0
        exp_f64(terms);
        for (std::size_t i = 0; i < chunk; i += n_lanes)
            for (std::size_t lane = 0; lane < n_lanes; ++lane) lanes[lane] += terms[i + lane];
    }
    for (std::size_t width = n_lanes / 2; width != 0; width /= 2)
        for (std::size_t i = 0; i < width; ++i) lanes[i] += lanes[i + width];
    return {max, lanes[0]};
}

LogSum combine(const LogSum& a, const LogSum& b) noexcept {
    const float max = a.max > b.max ? a.max : b.max;
    if (max == minus_infinity) return {max, 0.0};
    const double of_a = a.sum * exp_f64(below_max(a.max, max));
    const double of_b = b.sum * exp_f64(below_max(b.max, max));
    return {max, of_a + of_b};
}

} // namespace pillar::sampling
