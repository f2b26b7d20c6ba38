#include "pillar/arguments/numbers.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/core/text.hpp"

#include <charconv>
#include <cmath>
#include <fmt/core.h>
#include <limits>
#include <optional>

namespace pillar::arguments {

namespace {

constexpr std::size_t max_list = 10'000; ///< numbers; a slip like 1-1000000 is meant otherwise

/// All of the text; nothing when it is anything else.
template <class Number>
std::optional<Number> all_of(std::string_view text) {
    if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
    Number value{};
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc() || stop != end) return std::nullopt;
    return value;
}

/// What was given, as it is quoted in a sentence.
std::string given(std::string_view flag, std::string_view text) {
    if (text.empty()) return fmt::format("{} has an empty value (an unset variable?)", flag);
    return fmt::format("{} {}", flag, printable(text, 60));
}

template <class Real>
Real real_of(std::string_view text, std::string_view flag, Real lowest, Real highest) {
    const auto value = all_of<Real>(text);
    if (value && std::isfinite(*value) && *value >= lowest && *value <= highest) return *value;
    const bool has_end = highest < std::numeric_limits<Real>::max();
    throw UsageError(
        has_end ? fmt::format("{}: give a number from {} to {}", given(flag, text), lowest, highest)
        : lowest > std::numeric_limits<Real>::lowest()
            ? fmt::format("{}: give a number, {} or more", given(flag, text), lowest)
            : fmt::format("{}: give a number", given(flag, text)));
}

std::optional<std::size_t> number_at_start(std::string_view& text) {
    std::size_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc()) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return value;
}

/// first[-last[+step | *factor]]; ".." does for "-"
struct NumberRange {
    std::size_t first = 0, last = 0, step = 1;
    bool multiplied = false;
};

std::optional<NumberRange> parse_range(std::string_view text) {
    NumberRange range;
    const auto first = number_at_start(text);
    if (!first) return std::nullopt;
    range.first = range.last = *first;
    const std::size_t n_of_mark = text.starts_with("..") ? 2 : text.starts_with('-') ? 1 : 0;
    if (n_of_mark > 0) {
        text.remove_prefix(n_of_mark);
        const auto last = number_at_start(text);
        if (!last) return std::nullopt;
        range.last = *last;
        if (!text.empty() && (text.front() == '+' || text.front() == '*')) {
            range.multiplied = text.front() == '*';
            text.remove_prefix(1);
            const auto step = number_at_start(text);
            if (!step) return std::nullopt;
            range.step = *step;
        }
    }
    const bool grows = range.multiplied ? range.step >= 2 && range.first >= 1 : range.step >= 1;
    if (!text.empty() || range.last < range.first || !grows) return std::nullopt;
    return range;
}

/// Whether `n` is still at or below `last` one step on, without passing the largest number.
bool step_on(const NumberRange& range, std::size_t& n) {
    if (range.multiplied ? n > range.last / range.step : range.step > range.last - n) return false;
    n = range.multiplied ? n * range.step : n + range.step;
    return true;
}

} // namespace

std::int64_t whole_number(std::string_view text, std::string_view flag, std::int64_t lowest,
                          std::int64_t highest) {
    const auto value = all_of<std::int64_t>(text);
    if (value && *value >= lowest && *value <= highest) return *value;
    throw UsageError(
        fmt::format("{}: give a whole number from {} to {}", given(flag, text), lowest, highest));
}

double real_number(std::string_view text, std::string_view flag, double lowest, double highest) {
    return real_of(text, flag, lowest, highest);
}

float real_number(std::string_view text, std::string_view flag, float lowest, float highest) {
    return real_of(text, flag, lowest, highest);
}

std::vector<std::size_t> parse_numbers(const std::vector<std::string>& lists, std::string_view flag,
                                       std::size_t lowest, std::size_t highest) {
    std::vector<std::size_t> numbers;
    for (const std::string& list : lists)
        for (const std::string_view part : split(list, ',')) {
            const auto range = parse_range(part);
            if (!range)
                throw UsageError(
                    fmt::format("{}: not a number or a range like 128-512+128", given(flag, part)));
            if (range->first < lowest || range->last > highest)
                throw UsageError(fmt::format("{}: must lie between {} and {}", given(flag, part),
                                             lowest, highest));
            std::size_t n = range->first;
            do {
                numbers.push_back(n);
                if (numbers.size() > max_list)
                    throw UsageError(
                        fmt::format("{}: more than {} numbers", given(flag, part), max_list));
            } while (step_on(*range, n));
        }
    return numbers;
}

} // namespace pillar::arguments
