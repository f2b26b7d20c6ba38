// Tables as people see them.

#include "pillar/tables/markdown.hpp"

#include <gtest/gtest.h>

namespace pillar::tables {
namespace {

TEST(MarkdownTable, AlignsTextsLeftAndNumbersRight) {
    EXPECT_EQ(markdown({text_column("model", 8), number_column("MB", 5), number_column("t/s")},
                       {{"tiny", "12", "3.5"}, {"a longer name", "1234567", "–"}}),
              "| model         |      MB | t/s |\n"
              "| ------------- | ------: | --: |\n"
              "| tiny          |      12 | 3.5 |\n"
              "| a longer name | 1234567 |   – |\n");
}

TEST(MarkdownTable, KeepsTheWidthsItIsGivenRowByRow) {
    const MarkdownTable table({text_column("model", 8), number_column("MB", 5)});
    EXPECT_EQ(table.head(), "| model    |    MB |\n| -------- | ----: |\n");
    EXPECT_EQ(table.row({"tiny", "12"}), "| tiny     |    12 |\n");
}

TEST(MarkdownTable, HoldsWhatUsersTyped) {
    EXPECT_EQ(cell("a|b"), "a\\|b");
    EXPECT_EQ(cell("up\x1b[A"), "up\\x1B[A");
}

TEST(numbers, have_few_digits_and_a_sign_for_nothing) {
    EXPECT_EQ(number(2.345, 1), "2.3");
    EXPECT_EQ(number(std::nullopt, 1), "–");
    EXPECT_EQ(seconds(0.0012345), "0.001234");
    EXPECT_EQ(seconds(9999.4), "9999.0");
    EXPECT_EQ(seconds(12345.6), "12346");
    EXPECT_EQ(percent(0.1234), "12.3 %");
    EXPECT_EQ(percent(0.876, 0), "88 %");
}

} // namespace
} // namespace pillar::tables
