// The arithmetic of an emulated cable.

#include "emulation/link_model.hpp"

#include <gtest/gtest.h>

namespace pillar::comm {
namespace {

constexpr NetworkModel network{1.0, 0.125}; // seconds, seconds a byte: exact in floats

TEST(link_model, lets_a_message_arrive_after_its_latency_and_its_bytes) {
    LinkModel sender(network);
    LinkModel receiver(network);
    const double departure_s = sender.depart(100, 16);
    EXPECT_EQ(departure_s, 100);
    EXPECT_EQ(receiver.arrive(departure_s, 16), 100 + 1 + 2);
    EXPECT_EQ(receiver.arrive(sender.depart(200, 0), 0), 201);
}

TEST(link_model, sends_one_message_after_the_other) {
    LinkModel sender(network);
    EXPECT_EQ(sender.depart(100, 16), 100);
    EXPECT_EQ(sender.depart(101, 8), 102);
    EXPECT_EQ(sender.depart(102, 8), 103);
    EXPECT_EQ(sender.depart(110, 8), 110);
}

TEST(link_model, receives_one_message_after_the_other) {
    LinkModel receiver(network);
    EXPECT_EQ(receiver.arrive(100, 16), 103);
    EXPECT_EQ(receiver.arrive(100, 16), 105) << "of another sender, at the same time";
    EXPECT_EQ(receiver.arrive(103.5, 16), 107);
    EXPECT_EQ(receiver.arrive(120, 16), 123);
}

TEST(link_model, does_both_at_once) {
    LinkModel a(network);
    LinkModel b(network);
    const double from_a_s = a.depart(100, 800);
    const double from_b_s = b.depart(100, 800);
    EXPECT_EQ(a.arrive(from_b_s, 800), 201);
    EXPECT_EQ(b.arrive(from_a_s, 800), 201);
}

} // namespace
} // namespace pillar::comm
