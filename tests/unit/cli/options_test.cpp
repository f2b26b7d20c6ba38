// Flags whose values have a form of their own.

#include "options.hpp"

#include "pillar/core/errors.hpp"

#include <cstdio>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pillar::cli {
namespace {

TEST(parse_network, takes_microseconds_and_nanoseconds_a_byte) {
    const comm::NetworkModel network = parse_network("50,8.5");
    EXPECT_DOUBLE_EQ(network.latency_s, 50e-6);
    EXPECT_DOUBLE_EQ(network.s_per_byte, 8.5e-9);
    EXPECT_DOUBLE_EQ(parse_network("0,0").latency_s, 0);
    EXPECT_EQ(session::network_text(network), "50,8.5");
    EXPECT_EQ(session::network_text(std::nullopt), "");
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

TEST(parse_seed, takes_every_seed_whole) {
    EXPECT_EQ(parse_seed("-1", "-s"), std::nullopt);
    EXPECT_EQ(parse_seed("0", "-s"), 0u);
    EXPECT_EQ(parse_seed("010", "-s"), 10u);
    EXPECT_EQ(parse_seed("18446744073709551615", "-s"), UINT64_MAX);
    for (const char* text : {"", "-2", "18446744073709551616", "0x10", "1.5", "7 ", "seven"})
        EXPECT_THROW((void)parse_seed(text, "-s"), UsageError) << text;
}

TEST(file_names, are_lists_unless_a_file_has_the_comma) {
    using Names = std::vector<std::string>;
    const std::string whole = testing::TempDir() + "pillar_a,b.gguf";
    std::ofstream(whole) << "GGUF";
    EXPECT_EQ(file_names("x.gguf,y.gguf", "-m"), (Names{"x.gguf", "y.gguf"}));
    EXPECT_EQ(file_names(whole, "-m"), Names{whole});
    EXPECT_EQ(file_names("x.gguf," + whole + ",y.gguf", "-m"), (Names{"x.gguf", whole, "y.gguf"}));
    EXPECT_EQ(file_names(whole + "," + whole, "-m"), (Names{whole, whole}));
    for (const char* list : {"", ",", "a,", ",a", "a,,b"})
        EXPECT_THROW((void)file_names(list, "-m"), UsageError) << list;
    std::remove(whole.c_str());
}

} // namespace
} // namespace pillar::cli
