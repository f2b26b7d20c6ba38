// The fit of a link against planted times; who meets whom.

#include "pillar/measure/network.hpp"

#include "pillar/core/median.hpp"
#include "pillar/measure/barrier.hpp"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

namespace pillar::measure {
namespace {

std::vector<OneWayTime> planted(double latency_s, double s_per_byte, double stored_s) {
    std::vector<OneWayTime> times;
    for (const std::size_t n : {16, 512, 1500, 4096, 16384, 32768, 65536, 262144})
        times.push_back({n, latency_s + static_cast<double>(n) * s_per_byte +
                                std::min(static_cast<double>(n), 1538.0) * stored_s});
    return times;
}

TEST(link_fit, finds_what_was_planted) {
    const LinkFit fit = fit_link(planted(50e-6, 8.5e-9, 8e-9));
    EXPECT_NEAR(fit.latency_s, 50e-6, 1e-11);
    EXPECT_NEAR(fit.s_per_byte, 8.5e-9, 1e-14);
    EXPECT_NEAR(fit.stored_s_per_byte, 8e-9, 1e-13);
    EXPECT_NEAR(fit.residual, 0, 1e-9);
}

TEST(link_fit, has_nothing_negative) {
    std::vector<OneWayTime> times = planted(50e-6, 8.5e-9, -4e-9);
    LinkFit fit = fit_link(times);
    EXPECT_EQ(fit.stored_s_per_byte, 0);
    EXPECT_NEAR(fit.latency_s, 48e-6, 3e-6);
    EXPECT_NEAR(fit.s_per_byte, 8.5e-9, 0.2e-9);
    EXPECT_GT(fit.residual, 0);
    for (OneWayTime& time : times) time.time_s = 1e-6; // lengths do not matter
    fit = fit_link(times);
    EXPECT_NEAR(fit.latency_s, 1e-6, 1e-12);
    EXPECT_NEAR(fit.s_per_byte, 0, 1e-18);
}

TEST(link_fit, bears_noise) {
    std::vector<OneWayTime> times = planted(50e-6, 8.5e-9, 8e-9);
    for (std::size_t i = 0; i < times.size(); ++i) times[i].time_s *= i % 2 == 0 ? 1.02 : 0.98;
    const LinkFit fit = fit_link(times);
    EXPECT_NEAR(fit.latency_s, 50e-6, 3e-6);
    EXPECT_NEAR(fit.s_per_byte, 8.5e-9, 0.4e-9);
    EXPECT_LT(fit.residual, 0.03);
}

TEST(link_fit, keeps_the_bandwidth_when_a_busy_machine_delays_messages) {
    for (std::size_t delayed = 0; delayed < 8; ++delayed) {
        std::vector<OneWayTime> times = planted(50e-6, 8.5e-9, 8e-9);
        times[delayed].time_s *= 3;
        EXPECT_NEAR(fit_link(times).s_per_byte, 8.5e-9, 1e-14) << delayed;
    }
    std::vector<OneWayTime> times = planted(50e-6, 8.5e-9, 8e-9);
    for (std::size_t i = 0; i < 3; ++i) times[i].time_s += 300e-6; // all short ones
    EXPECT_NEAR(fit_link(times).s_per_byte, 8.5e-9, 1e-14);
    for (OneWayTime& time : times) time.time_s -= 50e-6; // nothing but noise is left of the latency
    EXPECT_GE(fit_link(times).latency_s, 0);
}

TEST(quantile, is_one_of_the_values) {
    const std::vector<double> values = {5, 1, 4, 2, 3};
    EXPECT_EQ(quantile(values, 0), 1);
    EXPECT_EQ(quantile(values, 0.1), 1);
    EXPECT_EQ(quantile(values, 0.25), 2);
    EXPECT_EQ(quantile(values, 0.5), median(values));
    EXPECT_EQ(quantile(values, 1), 5);
    EXPECT_EQ(quantile({7}, 0.3), 7);
}

TEST(stalls, are_round_trips_that_no_busy_machine_explains) {
    const std::vector<double> rounds = {100e-6, 40.1e-3, 4e-3, 90e-6, 210e-3, 29e-3};
    const Stalls stalls = stalls_of(rounds);
    EXPECT_EQ(stalls.n_rounds, 6);
    EXPECT_EQ(stalls.n_stalls, 2);
    EXPECT_DOUBLE_EQ(stalls.longest_s, 210e-3);
    EXPECT_EQ(stalls_of({}).n_stalls, 0);
}

TEST(pairs, are_all_of_few_and_some_of_many) {
    const std::vector<int> three = {0, 2, 5};
    const std::vector<Pair> pairs = pairs_of(three);
    ASSERT_EQ(pairs.size(), 3u);
    EXPECT_EQ(pairs[1].a, 0);
    EXPECT_EQ(pairs[1].b, 5);
    EXPECT_EQ(pairs[2].a, 2);
    std::vector<int> many(17);
    for (int i = 0; i < 17; ++i) many[static_cast<std::size_t>(i)] = i;
    EXPECT_EQ(pairs_of(std::span(many).first(16)).size(), 120u);
    EXPECT_EQ(pairs_of(many).size(), 16u + 15u);
    EXPECT_TRUE(pairs_of(std::span(many).first(1)).empty());
}

TEST(barrier, takes_some_time) {
    threads::Team team(2);
    const double time_s = barrier_s(team);
    EXPECT_TRUE(std::isfinite(time_s) && time_s > 0);
}

} // namespace
} // namespace pillar::measure
