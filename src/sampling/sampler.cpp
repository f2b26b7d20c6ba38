// Top-k, top-p and min-p only cut the end of the sorted list, on probabilities at temperature 1;
// the temperature then shapes what is left.

#include "pillar/core/elementary.hpp"
#include "pillar/core/errors.hpp"
#include "pillar/sampling/sampling.hpp"

#include <algorithm>

namespace pillar::sampling {

namespace {

/// logit − best logit, 0 where both are the same infinity.
double below_best(std::span<const Candidate> sorted, std::size_t i) noexcept {
    const float best = sorted[0].logit;
    if (sorted[i].logit == best) return 0.0;
    return static_cast<double>(sorted[i].logit) - static_cast<double>(best);
}

/// Smallest number of leading terms that hold at least `share` of the sum of all; at least 1.
std::size_t leading_share(std::span<const double> terms, double share) noexcept {
    double total = 0.0;
    for (const double term : terms) total += term;
    double sum = 0.0;
    for (std::size_t i = 0; i < terms.size(); ++i) {
        sum += terms[i];
        if (sum >= share * total) return i + 1;
    }
    return terms.size();
}

} // namespace

Sampler::Sampler(const Parameters& parameters, std::size_t capacity)
    : parameters_(parameters), probabilities_(std::max<std::size_t>(capacity, 1)) {
    validate(parameters);
}

std::span<const double> Sampler::distribution(std::span<const Candidate> sorted) {
    expects(!sorted.empty(), "there is no candidate to sample from");
    expects(sorted.size() <= probabilities_.size(),
            "more candidates than the sampler has room for");
    const std::span<double> all(probabilities_);
    if (parameters_.temperature <= 0.0f) {
        probabilities_[0] = 1.0;
        return all.first(1);
    }
    std::size_t n = sorted.size();
    if (parameters_.top_k > 0) n = std::min(n, static_cast<std::size_t>(parameters_.top_k));
    if (parameters_.top_p < 1.0f) {
        for (std::size_t i = 0; i < n; ++i) all[i] = below_best(sorted, i);
        exp_f64(all.first(n));
        n = leading_share(all.first(n), static_cast<double>(parameters_.top_p));
    }
    if (parameters_.min_p > 0.0f) {
        const double lowest = log_f64(static_cast<double>(parameters_.min_p));
        while (n > 1 && below_best(sorted, n - 1) < lowest) --n;
    }
    const double temperature = parameters_.temperature;
    for (std::size_t i = 0; i < n; ++i) all[i] = below_best(sorted, i) / temperature;
    exp_f64(all.first(n));
    double total = 0.0;
    for (std::size_t i = 0; i < n; ++i) total += all[i];
    for (std::size_t i = 0; i < n; ++i) all[i] /= total;
    return all.first(n);
}

TokenId Sampler::pick(std::span<const Candidate> sorted, double uniform) {
    const std::span<const double> probabilities = distribution(sorted);
    double sum = 0.0;
    for (std::size_t i = 0; i < probabilities.size(); ++i) {
        sum += probabilities[i];
        if (uniform < sum) return sorted[i].id;
    }
    // The sum of the rounded probabilities stayed below `uniform`: the last one that can be drawn.
    std::size_t last = probabilities.size() - 1;
    while (last > 0 && probabilities[last] == 0.0) --last;
    return sorted[last].id;
}

} // namespace pillar::sampling
