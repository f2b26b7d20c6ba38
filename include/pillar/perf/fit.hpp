#pragma once
// Laws of scaling fitted to measured points, each parameter with a 95 % interval. Pure functions.
//
// All are linear in their parameters, so weighted least squares has one answer (Press et al.,
// "Numerical Recipes", 15.4). A point's weight is 1/σ². An interval is made of two parts, added in
// quadrature: what the points' own σ make of it (1.96 of the parameter's), and, where the points
// scatter more about the law than their σ say, that excess with Student's t of the points beyond
// the parameters. Where there are no points beyond them, the first part alone.
//
// Sources: Amdahl (1967); Gustafson, "Reevaluating Amdahl's Law" (1988).

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace pillar::perf {

struct Estimate {
    double value = 0;
    double low = 0; ///< of the 95 % interval
    double high = 0;
};

/// y at x, known to σ (one standard deviation, > 0).
struct Point {
    double x = 0;
    double y = 0;
    double sigma = 0;
};

/// How well the points are on the law.
struct Quality {
    std::size_t n_points = 0;
    std::size_t n_beyond = 0;          ///< points beyond the parameters: 0 means that any law fits
    double largest_relative_error = 0; ///< |y − law| / y of the point that is farthest off
};

/// T(p) = T(1)·(s + (1 − s)/p). A negative s: more speed-up than ranks.
struct AmdahlFit {
    Estimate serial; ///< s
    Estimate one_s;  ///< T(1)
    Quality quality;
    [[nodiscard]] double time_s(double n_ranks) const noexcept;
};
/// Points of x = p ranks, y seconds. Nothing with fewer than two different p.
[[nodiscard]] std::optional<AmdahlFit> fit_amdahl(std::span<const Point> points);

/// S(p) = p − s·(p − 1), for work that grows with the ranks.
struct GustafsonFit {
    Estimate serial; ///< s
    Quality quality;
};
/// Points of x = p ranks, y scaled speed-up. Nothing without a p above 1.
[[nodiscard]] std::optional<GustafsonFit> fit_gustafson(std::span<const Point> points);

/// T(p) = a + b/p + c·log₂p: what stays, what is shared out, what grows with the tree's depth.
struct TimeFit {
    Estimate a, b, c;
    Quality quality;
    [[nodiscard]] double time_s(double n_ranks) const noexcept;
};
/// Nothing with fewer than three different p.
[[nodiscard]] std::optional<TimeFit> fit_time(std::span<const Point> points);

/// y = offset + slope·x: a message's latency and time a byte.
struct LineFit {
    Estimate offset, slope;
    Quality quality;
};
/// Nothing with fewer than two different x.
[[nodiscard]] std::optional<LineFit> fit_line(std::span<const Point> points);

} // namespace pillar::perf
