// Numbers as users and unset shell variables give them.

#include "pillar/arguments/numbers.hpp"

#include "pillar/core/errors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pillar::arguments {
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

using Numbers = std::vector<std::size_t>;

Numbers parse(const std::string& text) {
    return parse_numbers({text}, "-p", 0, 100'000);
}

TEST(number_lists, are_lists_and_ranges) {
    EXPECT_EQ(parse("512"), (Numbers{512}));
    EXPECT_EQ(parse("1,2,8"), (Numbers{1, 2, 8}));
    EXPECT_EQ(parse("1-4"), (Numbers{1, 2, 3, 4}));
    EXPECT_EQ(parse("128-512+128"), (Numbers{128, 256, 384, 512}));
    EXPECT_EQ(parse("1-9*2"), (Numbers{1, 2, 4, 8}));
    EXPECT_EQ(parse("0,16-20+2,7"), (Numbers{0, 16, 18, 20, 7}));
    EXPECT_EQ(parse_numbers({"1,2", "3"}, "-t", 1, 9), (Numbers{1, 2, 3}));
    EXPECT_EQ(parse_numbers({}, "-t", 1, 9), Numbers{});
}

TEST(number_lists, that_cannot_be_meant_are_refused) {
    for (const char* text : {"", "x", "1,", ",1", "-1", "4-1", "1-8*1", "0-8*2", "1-8+0", "1-",
                             "1x", "1-8-2", "99999999999999999999", "100001", "0-99999"})
        EXPECT_THROW(parse(text), UsageError) << text;
}

} // namespace
} // namespace pillar::arguments
