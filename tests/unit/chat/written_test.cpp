// What templates do with texts, as Python does it.

#include "written.hpp"

#include <gtest/gtest.h>

namespace pillar::chat {
namespace {

TEST(Written, StripsWhatUnicodeCallsSpace) {
    EXPECT_EQ(stripped(" \t\n\v\f\r a b \xC2\x85"), "a b");
    EXPECT_EQ(stripped("\x1C\x1D\x1E\x1F\xE3\x80\x80\xE2\x80\x83x\xC2\xA0\xE2\x80\xA8"), "x");
    EXPECT_EQ(stripped("\xE2\x80\x8Bx\xEF\xBB\xBF"), "\xE2\x80\x8Bx\xEF\xBB\xBF"); // no space
    EXPECT_EQ(stripped(" \n"), "");
    EXPECT_EQ(stripped(""), "");
    EXPECT_EQ(without_trailing_space(" a\n "), " a");
}

TEST(Written, TakesLineEndsAway) {
    EXPECT_EQ(without_leading_lines("\n\n a\n"), " a\n");
    EXPECT_EQ(without_trailing_lines("\na \n\n"), "\na ");
    EXPECT_EQ(without_outer_lines("\n\n a\n\nb \n"), " a\n\nb ");
    EXPECT_EQ(without_outer_lines("\n\n"), "");
}

TEST(Written, CutsAtMarks) {
    EXPECT_EQ(after_last("axbxc", "x"), "c");
    EXPECT_EQ(after_first("axbxc", "x"), "bxc");
    EXPECT_EQ(before_first("axbxc", "x"), "a");
    EXPECT_EQ(after_last("abc", "x"), "abc");
    EXPECT_EQ(after_first("abc", "x"), "abc");
    EXPECT_EQ(before_first("abc", "x"), "abc");
    EXPECT_EQ(after_last("abcx", "x"), "");
}

TEST(Written, NamesDays) {
    using namespace std::chrono;
    const year_month_day day = year(2025) / 3 / 9;
    EXPECT_EQ(day_month_year(day), "09 Mar 2025");
    EXPECT_EQ(month_day_year(day), "March 09, 2025");
    EXPECT_EQ(year_month_day_text(day), "2025-03-09");
    EXPECT_EQ(month_day_year(year(2031) / 12 / 31), "December 31, 2031");
    EXPECT_EQ(day_month_year(year(2030) / 1 / 1), "01 Jan 2030");
}

} // namespace
} // namespace pillar::chat
