// Unlike nodes, and how far off predictions may be: against arithmetic by hand.

#include "pillar/perf/cluster.hpp"

#include "pillar/perf/step_model.hpp"

#include <cmath>
#include <gtest/gtest.h>

namespace pillar::perf {
namespace {

MachineProfile reading(double bytes_per_s) {
    MachineProfile p;
    p.read_bytes_per_s = bytes_per_s;
    p.read_efficiency = 1;
    return p;
}

TEST(cluster, waits_for_the_slowest_of_unlike_nodes) {
    StepWork work;
    work.ranks = {{.matrix_bytes = 4e9}, {.matrix_bytes = 1e9}};
    Cluster cluster{{reading(4e9), reading(2e9)}, {0, 1}};
    EXPECT_DOUBLE_EQ(step_time(cluster, work).matrices_s, 1.0);
    cluster.nodes = {1, 0};
    EXPECT_DOUBLE_EQ(step_time(cluster, work).matrices_s, 2.0);
    cluster.nodes = {};
    EXPECT_DOUBLE_EQ(step_time(cluster, work).matrices_s, 1.0);
}

TEST(cluster, talks_at_the_pace_of_the_slowest_network) {
    Cluster cluster{{MachineProfile(), MachineProfile()}, {0, 1}};
    cluster.kinds[0].network.latency_s = 70e-6;
    cluster.kinds[1].network.s_per_byte = 20e-9;
    cluster.kinds[1].network.hidden_share = 0.1;
    cluster.kinds[1].barrier_s = 9e-6;
    const Meeting meeting = meeting_of(cluster);
    EXPECT_EQ(meeting.network.latency_s, 70e-6);
    EXPECT_EQ(meeting.network.s_per_byte, 20e-9);
    EXPECT_EQ(meeting.network.hidden_share, 0.1);
    EXPECT_EQ(meeting.barrier_s, 9e-6);
}

/// A product of two numbers that may be twice or half as large: √2 times the logarithm.
TEST(intervals, add_independent_numbers_as_squares) {
    MachineProfile p = reading(4e9);
    p.macs_per_s = 10e9;
    p.ranges = {{"memory.read_gb_per_s", 2e9, 8e9, ""},
                {"arithmetic.int8_gmac_per_s", 5e9, 20e9, ""},
                {"memory.efficiency", 1, 1, "certain"}};
    const auto outcome = intervals({{p}, {}}, [](const Cluster& nodes) {
        const MachineProfile& node = nodes.of(0);
        return std::vector<double>{node.read_bytes_per_s * node.macs_per_s,
                                   1 / node.read_bytes_per_s, 7.0};
    });
    const double both = std::pow(2, std::sqrt(2));
    EXPECT_NEAR(outcome[0].low / outcome[0].value, 1 / both, 1e-12);
    EXPECT_NEAR(outcome[0].high / outcome[0].value, both, 1e-12);
    EXPECT_NEAR(outcome[1].low * 8e9, 1, 1e-12);
    EXPECT_NEAR(outcome[1].high * 2e9, 1, 1e-12);
    EXPECT_EQ(outcome[2].low, 7);
    EXPECT_EQ(outcome[2].high, 7);
}

/// Numbers that may only be worse widen one side.
TEST(intervals, are_as_lopsided_as_the_ranges) {
    MachineProfile p = reading(4e9);
    p.ranges = {{"memory.read_gb_per_s", 4e9, 5e9, ""}};
    const auto outcome = intervals({{p}, {}}, [](const Cluster& nodes) {
        return std::vector<double>{nodes.of(0).read_bytes_per_s};
    });
    EXPECT_EQ(outcome[0].low, 4e9);
    EXPECT_NEAR(outcome[0].high, 5e9, 1);
}

TEST(intervals, of_certain_numbers_are_points) {
    const auto outcome = intervals({{reading(4e9)}, {}}, [](const Cluster& nodes) {
        return std::vector<double>{nodes.of(0).read_bytes_per_s};
    });
    EXPECT_EQ(outcome[0].low, outcome[0].high);
}

} // namespace
} // namespace pillar::perf
