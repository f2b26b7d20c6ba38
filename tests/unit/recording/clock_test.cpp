// Offsets between clocks, interpolated between measurements.

#include "conversion/clock.hpp"

#include <gtest/gtest.h>

namespace pillar::recording {
namespace {

TEST(ClockTable, TakesAllClocksAsOneWithoutMeasurements) {
    const ClockTable clocks({}, 2);
    EXPECT_EQ(clocks.to_root(1, 5.25), 5.25);
    EXPECT_EQ(clocks.uncertainty_s(1, 5.25), 0);
}

TEST(ClockTable, InterpolatesBetweenMeasurementsOnTheRanksOwnAxis) {
    // At rank 0's 100 the offset is 1 (own time 99), at rank 0's 110 it is 2 (own time 108).
    const ClockTable clocks({{100, {{0, 0}, {1, 0.25}}}, {110, {{0, 0}, {2, 0.125}}}}, 2);
    EXPECT_EQ(clocks.to_root(1, 99), 100);
    EXPECT_EQ(clocks.to_root(1, 103.5), 105);
    EXPECT_EQ(clocks.to_root(1, 108), 110);
    EXPECT_EQ(clocks.to_root(0, 103.5), 103.5);
}

TEST(ClockTable, KeepsTheNearestOffsetOutside) {
    const ClockTable clocks({{100, {{0, 0}, {1, 0.25}}}, {110, {{0, 0}, {2, 0.125}}}}, 2);
    EXPECT_EQ(clocks.to_root(1, 50), 51);
    EXPECT_EQ(clocks.to_root(1, 200), 202);
}

TEST(ClockTable, IsAsUncertainAsTheWorseOfTheTwoNeighbours) {
    const ClockTable clocks(
        {{100, {{0, 0}, {0, 0.25}}}, {110, {{0, 0}, {0, 0.125}}}, {120, {{0, 0}, {0, 0.5}}}}, 2);
    EXPECT_EQ(clocks.uncertainty_s(1, 90), 0.25);
    EXPECT_EQ(clocks.uncertainty_s(1, 105), 0.25);
    EXPECT_EQ(clocks.uncertainty_s(1, 115), 0.5);
    EXPECT_EQ(clocks.uncertainty_s(1, 130), 0.5);
    EXPECT_EQ(clocks.max_uncertainty_s(1), 0.5);
    EXPECT_EQ(clocks.max_uncertainty_s(0), 0);
}

TEST(ClockTable, RemembersTheFirstAndTheLastOffset) {
    const ClockTable clocks({{100, {{0, 0}, {1, 0}}}, {110, {{0, 0}, {2, 0}}}}, 2);
    EXPECT_EQ(clocks.first_offset_s(1), 1);
    EXPECT_EQ(clocks.last_offset_s(1), 2);
}

} // namespace
} // namespace pillar::recording
