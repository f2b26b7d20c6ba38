// Scaling metrics against numbers worked out by hand and printed tables.

#include "pillar/perf/scaling.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <numeric>
#include <random>
#include <vector>

namespace pillar::perf {
namespace {

TEST(SpeedUp, IsTheBaseTimeOverTheTime) {
    EXPECT_DOUBLE_EQ(speed_up(8.0, 1, 2.5), 3.2);
    EXPECT_DOUBLE_EQ(efficiency(3.2, 4), 0.8);
}

TEST(SpeedUp, OfALargerBaseCaseCountsTheBaseAsPerfect) {
    EXPECT_DOUBLE_EQ(speed_up(0.5, 4, 0.5), 4.0);
    EXPECT_DOUBLE_EQ(efficiency(speed_up(0.5, 4, 0.5), 4), 1.0);
    EXPECT_DOUBLE_EQ(speed_up(0.6, 2, 0.4), 3.0); // on 4 ranks: efficiency 0.75
}

TEST(KarpFlatt, RecoversAmdahlsSerialFraction) {
    for (const double serial : {0.0, 0.05, 0.3, 1.0}) {
        for (const int p : {2, 3, 8, 16}) {
            const double time = serial + (1 - serial) / p;
            EXPECT_NEAR(karp_flatt(speed_up(1.0, 1, time), 1, p).value(), serial, 1e-12);
        }
    }
    EXPECT_NEAR(karp_flatt(3.2, 1, 4).value(), 0.0625 / 0.75, 1e-15); // (0.3125 − 0.25) / 0.75
}

TEST(KarpFlatt, IsUndefinedForOneRankAndForOtherBases) {
    EXPECT_FALSE(karp_flatt(1.0, 1, 1).has_value());
    EXPECT_FALSE(karp_flatt(3.0, 2, 4).has_value());
}

std::vector<double> one_to(int n) {
    std::vector<double> values(static_cast<std::size_t>(n));
    std::iota(values.begin(), values.end(), 1.0);
    std::reverse(values.begin(), values.end());
    return values;
}

TEST(MedianInterval, OfFewSamplesSaysThatItIsTooNarrow) {
    const auto one = median_interval(one_to(1));
    EXPECT_EQ(one.median, 1);
    EXPECT_EQ(one.confidence, 0);
    const auto five = median_interval(one_to(5));
    EXPECT_EQ(five.low, 1);
    EXPECT_EQ(five.high, 5);
    EXPECT_DOUBLE_EQ(five.confidence, 1 - 2.0 / 32);
}

TEST(MedianInterval, TakesTheTabulatedOrderStatistics) {
    // Pairs (n, l) of the sign test's table at 95 % (Conover, "Practical Nonparametric
    // Statistics").
    for (const auto& [n, l] : {std::pair{6, 1},
                               {8, 1},
                               {9, 2},
                               {10, 2},
                               {15, 4},
                               {20, 6},
                               {25, 8},
                               {30, 10},
                               {50, 18},
                               {100, 40}}) {
        const auto interval = median_interval(one_to(n));
        EXPECT_EQ(interval.low, l) << n;
        EXPECT_EQ(interval.high, n + 1 - l) << n;
        EXPECT_GE(interval.confidence, 0.95) << n;
        EXPECT_DOUBLE_EQ(interval.median, (n + 1) / 2.0) << n;
    }
    EXPECT_NEAR(median_interval(one_to(10)).confidence, 1 - 2 * 11.0 / 1024, 1e-12);
}

TEST(MedianInterval, HoldsForAMillionSamples) {
    const auto interval = median_interval(one_to(1000000));
    EXPECT_NEAR(interval.low, 500000 - 0.98 * 1000, 2); // n/2 − 1.96·√n/2
    EXPECT_NEAR(interval.confidence, 0.95, 0.002);
}

TEST(MedianInterval, CoversTheTrueMedianAsOftenAsItSays) {
    std::mt19937_64 random(7);
    std::exponential_distribution<double> skewed(1.0);
    int covered = 0;
    for (int trial = 0; trial < 2000; ++trial) {
        std::vector<double> samples(25);
        for (double& sample : samples) sample = skewed(random);
        const auto interval = median_interval(samples);
        covered += interval.low <= 0.6931471805599453 && 0.6931471805599453 <= interval.high;
    }
    EXPECT_GE(covered, 2000 * 0.94);
}

} // namespace
} // namespace pillar::perf
