// Numbers as users and unset shell variables give them.

#include "arguments/numbers.hpp"
#include "options.hpp"

#include "pillar/core/errors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pillar::cli {
namespace {

using testing::HasSubstr;

constexpr std::int64_t most = 2147483647;

TEST(whole_number, is_decimal) {
    EXPECT_EQ(whole_number("8", "-n", -1, most), 8);
    EXPECT_EQ(whole_number("-1", "-n", -1, most), -1);
    EXPECT_EQ(whole_number("+5", "-n", -1, most), 5);
    EXPECT_EQ(whole_number("010", "-n", -1, most), 10);
    EXPECT_EQ(whole_number("-0", "-n", -1, most), 0);
    EXPECT_EQ(whole_number("2147483647", "-n", -1, most), most);
}

TEST(whole_number, refuses_all_else_by_name) {
    for (const char* text : {"", " ", "x", "8x", "8 ", " 8", "0x10", "1e3", "8.0", "--1", "+-1",
                             "-", "+", "-2", "2147483648", "99999999999999999999999"}) {
        try {
            (void)whole_number(text, "--n-predict", -1, most);
            ADD_FAILURE() << '"' << text << "\" was taken";
        } catch (const UsageError& error) {
            EXPECT_THAT(error.what(), HasSubstr("--n-predict"));
            EXPECT_THAT(error.what(), HasSubstr("from -1 to 2147483647"));
        }
    }
}

TEST(real_number, is_finite_and_all_of_the_text) {
    EXPECT_EQ(real_number("0.8", "--temp", -10.0f, 10.0f), 0.8f);
    EXPECT_EQ(real_number("1e-3", "--temp", -10.0, 10.0), 1e-3);
    EXPECT_EQ(real_number(".5", "--temp", -10.0, 10.0), 0.5);
    EXPECT_EQ(real_number("007", "--temp", -10.0, 10.0), 7);
    for (const char* text : {"", "x", "0.8x", "nan", "-nan", "inf", "-inf", "infinity", "0x1p3",
                             "1e999", "0,8", " 1", "1 ", "11", "-11"})
        EXPECT_THROW((void)real_number(text, "--temp", -10.0, 10.0), UsageError) << text;
}

TEST(parse_numbers, come_to_an_end_at_the_largest_number) {
    const std::size_t largest = SIZE_MAX;
    EXPECT_EQ(parse_numbers({"18446744073709551614-18446744073709551615"}, "-p", 0, largest),
              (std::vector<std::size_t>{largest - 1, largest}));
    EXPECT_EQ(parse_numbers({"9223372036854775808-18446744073709551615*2"}, "-p", 0, largest),
              (std::vector<std::size_t>{std::size_t{1} << 63}));
}

TEST(parse_seed, takes_every_seed_whole) {
    EXPECT_EQ(parse_seed("-1", "-s"), std::nullopt);
    EXPECT_EQ(parse_seed("0", "-s"), 0u);
    EXPECT_EQ(parse_seed("010", "-s"), 10u);
    EXPECT_EQ(parse_seed("18446744073709551615", "-s"), UINT64_MAX);
    for (const char* text : {"", "-2", "18446744073709551616", "0x10", "1.5", "7 ", "seven"})
        EXPECT_THROW((void)parse_seed(text, "-s"), UsageError) << text;
}

} // namespace
} // namespace pillar::cli
