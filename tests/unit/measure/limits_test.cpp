// The micro-benchmarks count what they do; how fast that is, is not tested.

#include "pillar/core/median.hpp"
#include "pillar/measure/bandwidth.hpp"
#include "pillar/measure/integer_rate.hpp"

#include <cmath>
#include <gtest/gtest.h>

namespace pillar::measure {
namespace {

TEST(median_of, is_the_value_in_the_middle) {
    EXPECT_EQ(median({3.0}), 3.0);
    EXPECT_EQ(median({5.0, 1.0, 3.0}), 3.0);
    EXPECT_EQ(median({4.0, 1.0, 2.0, 100.0}), 3.0);
}

TEST(read_bandwidth, is_a_rate_for_any_team_and_size) {
    for (const int n_threads : {1, 3})
        for (const std::size_t n_bytes :
             {std::size_t{64}, std::size_t{1000}, std::size_t{3} << 20}) {
            threads::Team team(n_threads);
            ReadBandwidth bandwidth(team, n_bytes);
            const double rate = bandwidth.measure(team, 1);
            EXPECT_TRUE(std::isfinite(rate) && rate > 0) << n_threads << " " << n_bytes;
        }
}

TEST(read_bandwidth, can_be_measured_by_fewer_threads_than_wrote) {
    threads::Team three(3), one(1);
    ReadBandwidth bandwidth(three, std::size_t{1} << 20);
    EXPECT_GT(bandwidth.measure(one, 1), 0);
}

TEST(integer_rate, is_there_for_families_with_a_loop_and_for_no_other) {
    threads::Team team(2);
    for (const kernels::Family* family : kernels::families()) {
        if (!family->supported()) continue;
        const auto rate = integer_rate(*family, team, 1);
        EXPECT_EQ(rate.has_value(), family->dot_rate != nullptr) << family->name;
        EXPECT_GT(rate.value_or(1e9), 1e6) << family->name;
    }
}

TEST(integer_rate, counts_the_same_products_for_every_round) {
    for (const kernels::Family* family : kernels::families()) {
        if (!family->supported() || family->dot_rate == nullptr) continue;
        const std::uint64_t one = family->dot_rate(1);
        EXPECT_GT(one, 0u) << family->name;
        EXPECT_EQ(one % 32, 0u) << family->name; // whole vectors
        EXPECT_EQ(family->dot_rate(7), 7 * one) << family->name;
    }
}

} // namespace
} // namespace pillar::measure
