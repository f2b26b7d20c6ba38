#include "statistics/statistics.hpp"

#include "pillar/core/elementary.hpp"

#include <algorithm>
#include <cmath>

namespace pillar::evaluate {

namespace {

/// √ of a variance, 0 where rounding has made it negative.
double root_of(double variance) noexcept {
    return variance > 0 ? std::sqrt(variance) : 0.0;
}

} // namespace

Estimate Sums::mean() const noexcept {
    if (n_ == 0) return {};
    const auto n = static_cast<double>(n_);
    const double mean = sum_ / n;
    if (n_ == 1) return {mean, 0};
    return {mean, root_of((sum_of_squares_ / n - mean * mean) / (n - 1))};
}

Estimate perplexity_of(const Sums& nll) noexcept {
    const Estimate mean = nll.mean();
    const double value = exp_f64(mean.value);
    return {value, value * mean.error};
}

void ComparisonSums::add(const Comparison& one) {
    nll_.add(one.nll);
    nll_base_.add(one.nll_base);
    sum_of_products_ += one.nll * one.nll_base;
    kl_.add(one.kl);
    p_difference_.add(one.p_difference);
    squared_difference_.add(one.p_difference * one.p_difference);
    n_same_ += one.same_best ? 1 : 0;
    kls_.push_back(one.kl);
    differences_.push_back(one.p_difference);
}

Estimate ComparisonSums::rms_p_difference() const noexcept {
    const Estimate square = squared_difference_.mean();
    const double rms = root_of(square.value);
    return {rms, rms > 0 ? 0.5 / rms * square.error : 0.0};
}

Estimate ComparisonSums::same_best() const noexcept {
    if (n() == 0) return {};
    const auto n_all = static_cast<double>(n());
    const double share = static_cast<double>(n_same_) / n_all;
    return {share, n() == 1 ? 0.0 : root_of(share * (1 - share) / (n_all - 1))};
}

double ComparisonSums::covariance() const noexcept {
    if (n() < 2) return 0;
    const auto n_all = static_cast<double>(n());
    const double product = nll_.mean().value * nll_base_.mean().value;
    return (sum_of_products_ / n_all - product) / (n_all - 1);
}

Estimate ComparisonSums::log_ratio() const noexcept {
    const Estimate mine = nll_.mean(), base = nll_base_.mean();
    return {mine.value - base.value,
            root_of(mine.error * mine.error + base.error * base.error - 2 * covariance())};
}

Estimate ComparisonSums::perplexity_difference() const noexcept {
    const Estimate mine = perplexity_of(nll_), base = perplexity_of(nll_base_);
    const double together = mine.value * base.value * covariance();
    return {mine.value - base.value,
            root_of(mine.error * mine.error + base.error * base.error - 2 * together)};
}

double ComparisonSums::correlation() const noexcept {
    const double errors = nll_.mean().error * nll_base_.mean().error;
    return errors > 0 ? covariance() / errors : 0;
}

double quantile(std::span<const double> sorted, double share) noexcept {
    const double place = share * static_cast<double>(sorted.size() - 1);
    const auto below = std::min(static_cast<std::size_t>(place), sorted.size() - 1);
    const std::size_t above = std::min(below + 1, sorted.size() - 1);
    const double weight = place - static_cast<double>(below);
    return (1 - weight) * sorted[below] + weight * sorted[above];
}

} // namespace pillar::evaluate
