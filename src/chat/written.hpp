#pragma once
// Small things that templates do with texts, as Python does them.

#include <chrono>
#include <string>
#include <string_view>

namespace pillar::chat {

/// Without white space at both ends: what Unicode calls so, as str.strip() does.
std::string_view stripped(std::string_view text);
std::string_view without_trailing_space(std::string_view text);
/// Without line ends in front; at the end; at both.
std::string_view without_leading_lines(std::string_view text);
std::string_view without_trailing_lines(std::string_view text);
std::string_view without_outer_lines(std::string_view text);

/// What follows the last, or the first, `mark`; the text as it is where there is none.
std::string_view after_last(std::string_view text, std::string_view mark);
std::string_view after_first(std::string_view text, std::string_view mark);
/// What stands in front of the first `mark`; the whole text where there is none.
std::string_view before_first(std::string_view text, std::string_view mark);

std::string day_month_year(std::chrono::year_month_day day);      ///< "09 Mar 2025"
std::string month_day_year(std::chrono::year_month_day day);      ///< "March 09, 2025"
std::string year_month_day_text(std::chrono::year_month_day day); ///< "2025-03-09"

} // namespace pillar::chat
