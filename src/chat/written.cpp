#include "written.hpp"

#include "pillar/core/utf8.hpp"

#include <array>
#include <fmt/core.h>

namespace pillar::chat {

namespace {

bool is_space(const Utf8Unit& unit) noexcept {
    if (unit.kind != Utf8Unit::Kind::character) return false;
    const std::uint32_t c = unit.code_point;
    return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 ||
           c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 ||
           c == 0x202F || c == 0x205F || c == 0x3000;
}

struct Date {
    int year;
    unsigned month, day;
};

Date numbers_of(std::chrono::year_month_day day) noexcept {
    return {static_cast<int>(day.year()), static_cast<unsigned>(day.month()),
            static_cast<unsigned>(day.day())};
}

std::string_view month_name(unsigned month) noexcept {
    constexpr std::array<std::string_view, 12> names = {
        "January", "February", "March",     "April",   "May",      "June",
        "July",    "August",   "September", "October", "November", "December"};
    return names[(month + 11) % 12];
}

} // namespace

std::string_view without_trailing_space(std::string_view text) {
    std::size_t end = 0;
    for (std::size_t at = 0; at < text.size();) {
        const Utf8Unit unit = next_unit(text, at);
        at += unit.size;
        if (!is_space(unit)) end = at;
    }
    return text.substr(0, end);
}

std::string_view stripped(std::string_view text) {
    std::size_t begin = 0;
    while (begin < text.size()) {
        const Utf8Unit unit = next_unit(text, begin);
        if (!is_space(unit)) break;
        begin += unit.size;
    }
    return without_trailing_space(text.substr(begin));
}

std::string_view without_leading_lines(std::string_view text) {
    const std::size_t begin = text.find_first_not_of('\n');
    return begin == std::string_view::npos ? std::string_view() : text.substr(begin);
}

std::string_view without_trailing_lines(std::string_view text) {
    const std::size_t last = text.find_last_not_of('\n');
    return last == std::string_view::npos ? std::string_view() : text.substr(0, last + 1);
}

std::string_view without_outer_lines(std::string_view text) {
    return without_trailing_lines(without_leading_lines(text));
}

std::string_view after_last(std::string_view text, std::string_view mark) {
    const std::size_t at = text.rfind(mark);
    return at == std::string_view::npos ? text : text.substr(at + mark.size());
}

std::string_view after_first(std::string_view text, std::string_view mark) {
    const std::size_t at = text.find(mark);
    return at == std::string_view::npos ? text : text.substr(at + mark.size());
}

std::string_view before_first(std::string_view text, std::string_view mark) {
    return text.substr(0, text.find(mark));
}

std::string day_month_year(std::chrono::year_month_day day) {
    const auto [year, month, number] = numbers_of(day);
    return fmt::format("{:02} {} {}", number, month_name(month).substr(0, 3), year);
}

std::string month_day_year(std::chrono::year_month_day day) {
    const auto [year, month, number] = numbers_of(day);
    return fmt::format("{} {:02}, {}", month_name(month), number, year);
}

std::string year_month_day_text(std::chrono::year_month_day day) {
    const auto [year, month, number] = numbers_of(day);
    return fmt::format("{}-{:02}-{:02}", year, month, number);
}

} // namespace pillar::chat
