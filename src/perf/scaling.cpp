// Scaling metrics; the binomial tail is summed in log space, so that a million samples do not
// underflow.

#include "pillar/perf/scaling.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/core/median.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace pillar::perf {

double speed_up(double base_time_s, int base_ranks, double time_s) noexcept {
    return base_time_s * base_ranks / time_s;
}

double efficiency(double speed_up, int n_ranks) noexcept {
    return speed_up / n_ranks;
}

std::optional<double> karp_flatt(double speed_up, int base_ranks, int n_ranks) noexcept {
    if (base_ranks != 1 || n_ranks < 2) return std::nullopt;
    const double inverse_p = 1.0 / n_ranks;
    return (1.0 / speed_up - inverse_p) / (1.0 - inverse_p);
}

namespace {

/// log P(B = k), B binomial(n, ½).
double log_binomial(std::size_t n, std::size_t k) {
    const auto a = static_cast<double>(n);
    const auto b = static_cast<double>(k);
    return std::lgamma(a + 1) - std::lgamma(b + 1) - std::lgamma(a - b + 1) - a * std::log(2.0);
}

struct Rank {
    std::size_t index = 1; ///< l: the l-th smallest sample, from 1
    double confidence = 0;
};

/// Largest l with 1 − 2·P(B ≤ l − 1) ≥ wanted, at least 1.
Rank enclosing_rank(std::size_t n, double wanted) {
    double tail = std::exp(log_binomial(n, 0)); // P(B ≤ l − 1) for l = 1
    Rank best{1, std::max(0.0, 1 - 2 * tail)};
    for (std::size_t l = 2; 2 * l <= n + 1; ++l) {
        tail += std::exp(log_binomial(n, l - 1));
        if (1 - 2 * tail < wanted) break;
        best = {l, 1 - 2 * tail};
    }
    return best;
}

} // namespace

MedianInterval median_interval(std::span<const double> samples, double confidence) {
    expects(!samples.empty(), "a median needs a sample");
    std::vector<double> sorted(samples.begin(), samples.end());
    std::sort(sorted.begin(), sorted.end());
    const std::size_t n = sorted.size();
    const Rank rank = enclosing_rank(n, confidence);
    return {median(sorted), sorted[rank.index - 1], sorted[n - rank.index], rank.confidence};
}

} // namespace pillar::perf
