// Laws fitted to planted points. Reference values of the noisy ones are numpy's
// (numpy.linalg.inv of the normal equations), see the comments.

#include "pillar/perf/fit.hpp"

#include <cmath>
#include <gtest/gtest.h>
#include <random>

namespace pillar::perf {
namespace {

std::vector<Point> amdahl_points(double serial, double sigma) {
    std::vector<Point> points;
    for (const double p : {1.0, 2.0, 4.0, 8.0})
        points.push_back({p, 2 * (serial + (1 - serial) / p), sigma});
    return points;
}

TEST(Amdahl, FindsThePlantedSerialPart) {
    const auto fit = fit_amdahl(amdahl_points(0.1, 0.001));
    ASSERT_TRUE(fit);
    EXPECT_NEAR(fit->serial.value, 0.1, 1e-12);
    EXPECT_NEAR(fit->one_s.value, 2, 1e-12);
    EXPECT_NEAR(fit->time_s(16), 2 * (0.1 + 0.9 / 16), 1e-12);
    EXPECT_LT(fit->serial.low, 0.1);
    EXPECT_LT(fit->serial.high - fit->serial.low, 0.005);
    EXPECT_EQ(fit->quality.n_beyond, 2u);
    EXPECT_FALSE(fit_amdahl(std::vector<Point>{{2, 1, 0.1}, {2, 1.1, 0.1}}));
}

TEST(Amdahl, IntervalsHoldWhatTheyPromise) {
    std::mt19937 random(7);
    std::normal_distribution<double> noise(0, 1);
    int n_inside = 0;
    constexpr int n = 2000;
    for (int i = 0; i < n; ++i) {
        auto points = amdahl_points(0.1, 0.01);
        for (Point& point : points) point.y += 0.01 * noise(random);
        const auto fit = fit_amdahl(points);
        n_inside += fit->serial.low <= 0.1 && 0.1 <= fit->serial.high ? 1 : 0;
    }
    EXPECT_GT(n_inside, 0.94 * n);
    EXPECT_LT(n_inside, 0.995 * n); // a misfit by chance makes some of them wider
}

TEST(Time, TellsWhatGrowsFromWhatStays) {
    std::vector<Point> points;
    for (const double p : {1.0, 2.0, 4.0, 8.0, 16.0})
        points.push_back({p, 0.25 + 3 / p + 0.125 * std::log2(p), 0.001});
    const auto fit = fit_time(points);
    ASSERT_TRUE(fit);
    EXPECT_NEAR(fit->a.value, 0.25, 1e-9);
    EXPECT_NEAR(fit->b.value, 3, 1e-9);
    EXPECT_NEAR(fit->c.value, 0.125, 1e-9);
    EXPECT_FALSE(fit_time(std::span(points).first(2)));
}

TEST(Gustafson, FindsThePlantedSerialPart) {
    std::vector<Point> points;
    for (const double p : {1.0, 2.0, 4.0}) points.push_back({p, p - 0.2 * (p - 1), 0.01});
    const auto fit = fit_gustafson(points);
    ASSERT_TRUE(fit);
    EXPECT_NEAR(fit->serial.value, 0.2, 1e-12);
    EXPECT_FALSE(fit_gustafson(std::span(points).first(1)));
}

// x = [1, 2, 3, 4]; y = [2.1, 3.9, 6.2, 7.8]; s = 0.1: b = [0.15, 1.94], cov = [[.015, -.005],
// [-.005, .002]], χ² = 8.2 of 2 points beyond two parameters, t = 4.303.
TEST(Line, WidensIntervalsWherePointsScatterMoreThanTheySay) {
    const std::vector<Point> points{{1, 2.1, 0.1}, {2, 3.9, 0.1}, {3, 6.2, 0.1}, {4, 7.8, 0.1}};
    const auto fit = fit_line(points);
    ASSERT_TRUE(fit);
    EXPECT_NEAR(fit->offset.value, 0.15, 1e-9);
    EXPECT_NEAR(fit->slope.value, 1.94, 1e-9);
    const double half = std::sqrt(0.002 * (1.959964 * 1.959964 + 4.303 * 4.303 * (8.2 / 2 - 1)));
    EXPECT_NEAR(fit->slope.high - fit->slope.value, half, 1e-6);
}

} // namespace
} // namespace pillar::perf
