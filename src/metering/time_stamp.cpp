#include "time_stamp.hpp"

#include "pillar/metering/meter_log.hpp"

#include <charconv>
#include <chrono>
#include <cmath>
#include <fmt/core.h>

namespace pillar::metering {

namespace {

/// Digits at the front, exactly `n` of them.
std::optional<int> take_digits(std::string_view& text, std::size_t n) {
    if (text.size() < n) return std::nullopt;
    int value = 0;
    for (const char c : text.substr(0, n)) {
        if (c < '0' || c > '9') return std::nullopt;
        value = 10 * value + (c - '0');
    }
    text.remove_prefix(n);
    return value;
}

bool take(std::string_view& text, std::string_view any_of) {
    if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
    text.remove_prefix(1);
    return true;
}

std::optional<TimeStamp> read_number(std::string_view text) {
    double value = 0;
    const auto [last, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || last != text.data() + text.size() || !(value >= 1e8))
        return std::nullopt;
    return TimeStamp{value >= 1e11 ? value / 1e3 : value, true};
}

/// "2026-01-31" → days since 1970.
std::optional<double> take_days(std::string_view& text) {
    const auto year = take_digits(text, 4);
    if (!year || !take(text, "-")) return std::nullopt;
    const auto month = take_digits(text, 2);
    if (!month || !take(text, "-")) return std::nullopt;
    const auto day = take_digits(text, 2);
    if (!day) return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year(*year),
                                           std::chrono::month(static_cast<unsigned>(*month)),
                                           std::chrono::day(static_cast<unsigned>(*day))};
    if (!date.ok()) return std::nullopt;
    return static_cast<double>(std::chrono::sys_days(date).time_since_epoch().count());
}

/// "23:59", "23:59:59.5" → seconds.
std::optional<double> take_time(std::string_view& text) {
    const auto hour = take_digits(text, 2);
    if (!hour || *hour > 23 || !take(text, ":")) return std::nullopt;
    const auto minute = take_digits(text, 2);
    if (!minute || *minute > 59) return std::nullopt;
    double seconds = 3600.0 * *hour + 60.0 * *minute;
    if (!take(text, ":")) return seconds;
    const auto second = take_digits(text, 2);
    if (!second || *second > 60) return std::nullopt;
    seconds += *second;
    if (!take(text, ".,")) return seconds;
    double place = 0.1;
    bool has_digits = false;
    while (const auto digit = take_digits(text, 1)) {
        seconds += place * *digit;
        place /= 10;
        has_digits = true;
    }
    return has_digits ? std::optional(seconds) : std::nullopt;
}

} // namespace

std::optional<double> zone_named(std::string_view text) {
    if (text == "Z" || text == "z" || text == "UTC" || text == "GMT") return 0;
    const bool is_west = text.starts_with('-');
    if (!take(text, "+-")) return std::nullopt;
    const auto hours = take_digits(text, 2);
    if (!hours) return std::nullopt;
    take(text, ":");
    const auto minutes = text.empty() ? std::optional(0) : take_digits(text, 2);
    if (!minutes || !text.empty() || *hours > 14 || *minutes > 59) return std::nullopt;
    const double seconds = 3600.0 * *hours + 60.0 * *minutes;
    return is_west ? -seconds : seconds;
}

std::optional<TimeStamp> read_time_stamp(std::string_view text) {
    if (const auto number = read_number(text)) return number;
    const auto days = take_days(text);
    if (!days || !take(text, "T ")) return std::nullopt;
    const auto seconds = take_time(text);
    if (!seconds) return std::nullopt;
    take(text, " ");
    TimeStamp stamp{86400 * *days + *seconds, !text.empty()};
    if (stamp.has_zone) {
        const auto zone_s = zone_named(text);
        if (!zone_s) return std::nullopt;
        stamp.seconds -= *zone_s;
    }
    return stamp;
}

std::string utc_text(double seconds) {
    const std::chrono::sys_seconds time{
        std::chrono::seconds(static_cast<std::int64_t>(std::floor(seconds)))};
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(time - day);
    return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02} UTC", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                       clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

} // namespace pillar::metering
