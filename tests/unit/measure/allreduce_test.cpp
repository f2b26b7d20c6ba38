// The rules beside the measurement: the fit and the choice.

#include "pillar/measure/allreduce.hpp"

#include "pillar/comm/schedule.hpp"

#include <cmath>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pillar::measure {
namespace {

using comm::Algorithm;
using comm::Wire;
using testing::ElementsAre;

std::vector<AllreduceTime> planted(Algorithm algorithm, Wire wire, int size, double latency_s,
                                   double s_per_byte) {
    std::vector<AllreduceTime> times;
    for (std::size_t n = 1; n <= 262144; n *= 4) {
        const comm::Chain chain = comm::allreduce_chain(algorithm, wire, size, n);
        AllreduceTime time{.algorithm = algorithm, .wire = wire, .n_floats = n};
        time.median_s = static_cast<double>(chain.n_messages) * latency_s +
                        static_cast<double>(chain.n_bytes) * s_per_byte;
        times.push_back(time);
    }
    return times;
}

TEST(fit_network, finds_a_planted_network_again) {
    for (const auto algorithm : {Algorithm::recursive_doubling, Algorithm::direct,
                                 Algorithm::reduce_scatter, Algorithm::ring}) {
        for (const int size : {2, 3, 8}) {
            const NetworkFit fit =
                fit_network(planted(algorithm, Wire::f32, size, 50e-6, 8.5e-9), size);
            EXPECT_NEAR(fit.latency_s, 50e-6, 1e-12);
            EXPECT_NEAR(fit.s_per_byte, 8.5e-9, 1e-16);
            EXPECT_LT(fit.residual, 1e-9);
        }
    }
}

TEST(fit_network, tells_how_far_times_lie_from_it) {
    auto times = planted(Algorithm::direct, Wire::q8, 4, 50e-6, 8.5e-9);
    for (std::size_t i = 0; i < times.size(); ++i) times[i].median_s *= i % 2 == 0 ? 1.1 : 0.9;
    const NetworkFit fit = fit_network(times, 4);
    EXPECT_GT(fit.residual, 0.05);
    EXPECT_LT(fit.residual, 0.12);
    EXPECT_NEAR(fit.latency_s, 50e-6, 5e-6);
}

TEST(fit_network, tells_nothing_of_one_length) {
    std::vector<AllreduceTime> times = planted(Algorithm::direct, Wire::f32, 4, 50e-6, 8.5e-9);
    times.resize(1);
    EXPECT_TRUE(std::isnan(fit_network(times, 4).latency_s));
    times.push_back(times.front());
    EXPECT_TRUE(std::isnan(fit_network(times, 4).s_per_byte));
}

TEST(fit_network, has_no_negative_latency) {
    auto times = planted(Algorithm::direct, Wire::f32, 2, 0, 1e-9);
    for (auto& time : times) time.median_s *= 1 + 1e-3 * static_cast<double>(time.n_floats > 1000);
    times.front().median_s *= 0.5;
    const NetworkFit fit = fit_network(times, 2);
    EXPECT_GE(fit.latency_s, 0);
    EXPECT_GT(fit.s_per_byte, 0);
}

TEST(candidates, leave_direct_out_where_it_needs_most_memory) {
    EXPECT_THAT(
        candidates(Wire::f32, 8, 1 << 18),
        ElementsAre(Algorithm::recursive_doubling, Algorithm::direct, Algorithm::reduce_scatter));
    EXPECT_THAT(candidates(Wire::f32, 8, (1 << 18) + 1),
                ElementsAre(Algorithm::recursive_doubling, Algorithm::reduce_scatter));
    EXPECT_THAT(
        candidates(Wire::f32, 2, 1 << 24),
        ElementsAre(Algorithm::recursive_doubling, Algorithm::direct, Algorithm::reduce_scatter));
    EXPECT_THAT(candidates(Wire::q8, 8, 1 << 24), ElementsAre(Algorithm::reduce_scatter));
}

TEST(fastest, prefers_an_earlier_one_that_is_nearly_as_fast) {
    using Trial = AllreduceTuning::Trial;
    const auto choose = [](double a, double b, double c) {
        const std::vector<Trial> trials{{Algorithm::recursive_doubling, a},
                                        {Algorithm::direct, b},
                                        {Algorithm::reduce_scatter, c}};
        return fastest(trials);
    };
    EXPECT_EQ(choose(1.04, 1.0, 2.0), Algorithm::recursive_doubling);
    EXPECT_EQ(choose(1.06, 1.0, 2.0), Algorithm::direct);
    EXPECT_EQ(choose(1.2, 1.03, 1.0), Algorithm::direct);
    EXPECT_EQ(choose(1.2, 1.1, 1.0), Algorithm::reduce_scatter);
}

} // namespace
} // namespace pillar::measure
