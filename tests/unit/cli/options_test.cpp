// Flags whose values have a form of their own.

#include "options.hpp"

#include "pillar/core/errors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pillar::cli {
namespace {

TEST(parse_network, takes_microseconds_and_nanoseconds_a_byte) {
    const comm::NetworkModel network = parse_network("50,8.5");
    EXPECT_DOUBLE_EQ(network.latency_s, 50e-6);
    EXPECT_DOUBLE_EQ(network.s_per_byte, 8.5e-9);
    EXPECT_DOUBLE_EQ(parse_network("0,0").latency_s, 0);
    EXPECT_EQ(network_text(network), "50,8.5");
    EXPECT_EQ(network_text(std::nullopt), "");
}

TEST(parse_network, refuses_everything_else_by_name) {
    for (const char* text : {"", "50", "50,", ",8.5", "50,8.5,1", "50;8.5", "-1,8", "5,-8", "x,8",
                             "50,8x", "nan,1", "1,inf", "1e9,1", " 50,8.5", "50, 8.5"}) {
        try {
            (void)parse_network(text);
            ADD_FAILURE() << text << " was taken";
        } catch (const UsageError& error) {
            EXPECT_THAT(error.what(), testing::HasSubstr(std::string("--emulate-network ") + text));
            EXPECT_THAT(error.what(), testing::HasSubstr("50,8.5"));
        }
    }
}

} // namespace
} // namespace pillar::cli
