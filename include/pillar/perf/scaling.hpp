#pragma once
// Scaling metrics from measured times: speed-up, efficiency, Karp–Flatt, medians with intervals.
// Pure functions.
//
// Sources: Karp and Flatt, "Measuring Parallel Processor Performance" (1990); Hoefler and Belli,
// "Scientific Benchmarking of Parallel Computing Systems" (2015), for medians with order-statistic
// intervals instead of means.

#include <optional>
#include <span>

namespace pillar::perf {

/// S(p) = T(p0) · p0 / T(p), p0 = ranks of the base case: p0 itself counts as perfectly efficient.
/// Times > 0, ranks ≥ 1.
[[nodiscard]] double speed_up(double base_time_s, int base_ranks, double time_s) noexcept;

/// S / p.
[[nodiscard]] double efficiency(double speed_up, int n_ranks) noexcept;

/// Experimentally determined serial fraction e = (1/S − 1/p) / (1 − 1/p). Growing with p it means
/// overhead, constant a serial part. Only for a base case of one rank and p ≥ 2; nothing otherwise.
[[nodiscard]] std::optional<double> karp_flatt(double speed_up, int base_ranks,
                                               int n_ranks) noexcept;

/// Median, and the order statistics that enclose it with at least the wanted confidence whatever
/// the distribution.
struct MedianInterval {
    double median = 0;
    double low = 0;
    double high = 0;
    double confidence =
        0; ///< reached by [low, high]; below the wanted one when there are too few samples
};

/// Of independent samples in any order, at least one. P(low ≤ median ≤ high) ≥ 1 − 2·P(B < l) with
/// B binomial(n, ½): the l-th smallest and l-th largest sample with the largest such l. Below 6
/// samples 95 % cannot be reached: then minimum and maximum, and the confidence says what they are
/// worth.
[[nodiscard]] MedianInterval median_interval(std::span<const double> samples,
                                             double confidence = 0.95);

} // namespace pillar::perf
