#include "pillar/perf/fit.hpp"

#include "pillar/core/errors.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

namespace pillar::perf {

namespace {

constexpr double normal_95 = 1.959964;

/// Student's t, two-sided 95 %.
double student_95(std::size_t n_beyond) {
    constexpr std::array table{12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365,
                               2.306,  2.262, 2.228, 2.201, 2.179, 2.160, 2.145,
                               2.131,  2.120, 2.110, 2.101, 2.093, 2.086};
    if (n_beyond == 0) return 0;
    if (n_beyond <= table.size()) return table[n_beyond - 1];
    return normal_95 + 2.5 / static_cast<double>(n_beyond); // to 0.2 %
}

template <std::size_t n>
using Matrix = std::array<std::array<double, n>, n>;

/// Gauss–Jordan with pivots; of a matrix that has an inverse.
template <std::size_t n>
Matrix<n> inverse_of(Matrix<n> a) {
    Matrix<n> inverse{};
    for (std::size_t i = 0; i < n; ++i) inverse[i][i] = 1;
    for (std::size_t column = 0; column < n; ++column) {
        std::size_t pivot = column;
        for (std::size_t row = column + 1; row < n; ++row)
            if (std::abs(a[row][column]) > std::abs(a[pivot][column])) pivot = row;
        std::swap(a[pivot], a[column]);
        std::swap(inverse[pivot], inverse[column]);
        const double scale = 1 / a[column][column];
        for (std::size_t j = 0; j < n; ++j) {
            a[column][j] *= scale;
            inverse[column][j] *= scale;
        }
        for (std::size_t row = 0; row < n; ++row) {
            if (row == column) continue;
            const double factor = a[row][column];
            for (std::size_t j = 0; j < n; ++j) {
                a[row][j] -= factor * a[column][j];
                inverse[row][j] -= factor * inverse[column][j];
            }
        }
    }
    return inverse;
}

template <std::size_t n>
struct Solution {
    std::array<double, n> values{};
    Matrix<n> covariance{}; ///< from the points' σ
    double excess = 0;      ///< χ² a point beyond the parameters, less 1; at least 0
    Quality quality;

    /// Of a function of the parameters with this gradient.
    [[nodiscard]] Estimate estimate(double value, const std::array<double, n>& gradient) const {
        double variance = 0;
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t j = 0; j < n; ++j)
                variance += gradient[i] * covariance[i][j] * gradient[j];
        const double t = student_95(quality.n_beyond);
        const double half =
            std::sqrt(std::max(0.0, variance) * (normal_95 * normal_95 + t * t * excess));
        return {value, value - half, value + half};
    }
    [[nodiscard]] Estimate parameter(std::size_t i) const {
        std::array<double, n> gradient{};
        gradient[i] = 1;
        return estimate(values[i], gradient);
    }
};

/// y = Σ values[i]·basis(x)[i].
template <std::size_t n, class Basis>
Solution<n> solve(std::span<const Point> points, Basis&& basis) {
    Matrix<n> normal{};
    std::array<double, n> right{};
    for (const Point& point : points) {
        expects(point.sigma > 0, "a point that is fitted has an uncertainty");
        const std::array<double, n> row = basis(point.x);
        const double weight = 1 / (point.sigma * point.sigma);
        for (std::size_t i = 0; i < n; ++i) {
            right[i] += weight * row[i] * point.y;
            for (std::size_t j = 0; j < n; ++j) normal[i][j] += weight * row[i] * row[j];
        }
    }
    Solution<n> solution;
    solution.covariance = inverse_of(normal);
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < n; ++j)
            solution.values[i] += solution.covariance[i][j] * right[j];
    double chi_squared = 0;
    for (const Point& point : points) {
        const std::array<double, n> row = basis(point.x);
        double error = point.y;
        for (std::size_t i = 0; i < n; ++i) error -= solution.values[i] * row[i];
        chi_squared += error * error / (point.sigma * point.sigma);
        solution.quality.largest_relative_error =
            std::max(solution.quality.largest_relative_error, std::abs(error / point.y));
    }
    solution.quality.n_points = points.size();
    solution.quality.n_beyond = points.size() - std::min(n, points.size());
    if (solution.quality.n_beyond > 0)
        solution.excess =
            std::max(0.0, chi_squared / static_cast<double>(solution.quality.n_beyond) - 1);
    return solution;
}

std::size_t n_places(std::span<const Point> points) {
    std::set<double> places;
    for (const Point& point : points) places.insert(point.x);
    return places.size();
}

} // namespace

double AmdahlFit::time_s(double n_ranks) const noexcept {
    return one_s.value * (serial.value + (1 - serial.value) / n_ranks);
}

std::optional<AmdahlFit> fit_amdahl(std::span<const Point> points) {
    if (n_places(points) < 2) return std::nullopt;
    // A + B/p: T(1) = A + B, s = A/(A + B).
    const auto found = solve<2>(points, [](double p) { return std::array{1.0, 1 / p}; });
    const auto [a, b] = found.values;
    const double sum = a + b;
    return AmdahlFit{found.estimate(a / sum, {b / (sum * sum), -a / (sum * sum)}),
                     found.estimate(sum, {1, 1}), found.quality};
}

std::optional<GustafsonFit> fit_gustafson(std::span<const Point> points) {
    // p − S = s·(p − 1): a point at p = 1 says nothing.
    std::vector<Point> used;
    for (const Point& point : points)
        if (point.x > 1) used.push_back({point.x, point.x - point.y, point.sigma});
    if (used.empty()) return std::nullopt;
    auto found = solve<1>(used, [](double p) { return std::array{p - 1}; });
    found.quality.largest_relative_error = 0;
    for (const Point& point : points) {
        const double law = point.x - found.values[0] * (point.x - 1);
        found.quality.largest_relative_error =
            std::max(found.quality.largest_relative_error, std::abs(law / point.y - 1));
    }
    return GustafsonFit{found.parameter(0), found.quality};
}

double TimeFit::time_s(double n_ranks) const noexcept {
    return a.value + b.value / n_ranks + c.value * std::log2(n_ranks);
}

std::optional<TimeFit> fit_time(std::span<const Point> points) {
    if (n_places(points) < 3) return std::nullopt;
    const auto found = solve<3>(points, [](double p) {
        return std::array{1.0, 1 / p, std::log2(p)};
    });
    return TimeFit{found.parameter(0), found.parameter(1), found.parameter(2), found.quality};
}

std::optional<LineFit> fit_line(std::span<const Point> points) {
    if (n_places(points) < 2) return std::nullopt;
    const auto found = solve<2>(points, [](double x) { return std::array{1.0, x}; });
    return LineFit{found.parameter(0), found.parameter(1), found.quality};
}

} // namespace pillar::perf
