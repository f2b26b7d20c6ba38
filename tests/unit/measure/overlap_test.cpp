// The share that computing hides, from planted times; the time of adding on this machine.

#include "pillar/measure/overlap.hpp"

#include <gtest/gtest.h>

namespace pillar::measure {
namespace {

TEST(hidden_share, is_of_the_shorter_of_the_two) {
    EXPECT_DOUBLE_EQ((OverlapTimes{4, 4, 8}.hidden_share()), 0); // one after the other
    EXPECT_DOUBLE_EQ((OverlapTimes{4, 4, 4}.hidden_share()), 1); // both at once
    EXPECT_DOUBLE_EQ((OverlapTimes{4, 4, 7}.hidden_share()), 0.25);
    EXPECT_DOUBLE_EQ((OverlapTimes{4, 10, 11}.hidden_share()), 0.75);
    EXPECT_DOUBLE_EQ((OverlapTimes{10, 4, 11}.hidden_share()), 0.75);
}

TEST(hidden_share, stays_between_none_and_all_whatever_a_busy_machine_measures) {
    EXPECT_EQ((OverlapTimes{4, 4, 9}.hidden_share()), 0);
    EXPECT_EQ((OverlapTimes{4, 4, 3}.hidden_share()), 1);
    EXPECT_EQ((OverlapTimes{}.hidden_share()), 0);
}

/// A value is read and written: not faster than 100 GB/s, not slower than 10 MB/s.
TEST(reduction, takes_the_time_of_a_few_instructions_a_value) {
    for (const comm::Wire wire : {comm::Wire::f32, comm::Wire::f16, comm::Wire::q8}) {
        const double time_s = reduction_s_per_value(wire);
        EXPECT_GT(time_s, 0.04e-9) << comm::name_of(wire);
        EXPECT_LT(time_s, 0.4e-6) << comm::name_of(wire);
    }
}

} // namespace
} // namespace pillar::measure
