// A vocabulary is long: exponentials are made 256 at a time, so that they stay in the first cache.

#include "pillar/sampling/divergence.hpp"

#include "pillar/core/elementary.hpp"
#include "pillar/core/errors.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace pillar::sampling {

namespace {

constexpr std::size_t divergence_lanes = 16;
constexpr std::size_t divergence_chunk = 16 * divergence_lanes;

} // namespace

double log_of(const LogSum& sum) noexcept {
    return static_cast<double>(sum.max) + log_f64(sum.sum);
}

double kl_divergence(std::span<const float> p, double log_sum_p, std::span<const float> q,
                     double log_sum_q) noexcept {
    expects(p.size() == q.size(), "both rows are of one vocabulary");
    std::array<double, divergence_lanes> lanes{};
    std::array<double, divergence_chunk> logs, weights;
    for (std::size_t begin = 0; begin < p.size(); begin += divergence_chunk) {
        const std::size_t n = std::min(divergence_chunk, p.size() - begin);
        for (std::size_t i = 0; i < n; ++i) logs[i] = static_cast<double>(p[begin + i]) - log_sum_p;
        for (std::size_t i = n; i < divergence_chunk; ++i)
            logs[i] = -std::numeric_limits<double>::infinity();
        weights = logs;
        exp_f64(weights);
        for (std::size_t i = 0; i < n; ++i) {
            const double log_q = static_cast<double>(q[begin + i]) - log_sum_q;
            lanes[i % divergence_lanes] += weights[i] == 0.0 ? 0.0 : weights[i] * (logs[i] - log_q);
        }
    }
    for (std::size_t width = divergence_lanes / 2; width != 0; width /= 2)
        for (std::size_t i = 0; i < width; ++i) lanes[i] += lanes[i + width];
    return lanes[0];
}

std::size_t best_index(std::span<const float> logits) noexcept {
    float best = -std::numeric_limits<float>::infinity();
    for (const float logit : logits) best = logit > best ? logit : best;
    const auto found = std::find(logits.begin(), logits.end(), best);
    return found == logits.end() ? 0 : static_cast<std::size_t>(found - logits.begin());
}

} // namespace pillar::sampling
