#include "bench_tests.hpp"

#include "pillar/core/errors.hpp"

#include <charconv>
#include <fmt/format.h>
#include <optional>
#include <string_view>

namespace pillar::cli {

namespace {

constexpr std::size_t max_list = 10'000; ///< numbers; a slip like 1-1000000 is meant otherwise
constexpr std::size_t max_positions = std::size_t{1} << 24;

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for (;;) {
        const std::size_t end = text.find(separator);
        parts.push_back(text.substr(0, end));
        if (end == std::string_view::npos) return parts;
        text.remove_prefix(end + 1);
    }
}

std::optional<std::size_t> number_at_start(std::string_view& text) {
    std::size_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc()) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return value;
}

/// first[-last[+step | *factor]]
struct NumberRange {
    std::size_t first = 0, last = 0, step = 1;
    bool multiplied = false;
};

std::optional<NumberRange> parse_range(std::string_view text) {
    NumberRange range;
    const auto first = number_at_start(text);
    if (!first) return std::nullopt;
    range.first = range.last = *first;
    if (!text.empty() && text.front() == '-') {
        text.remove_prefix(1);
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

std::vector<std::size_t> or_default(std::vector<std::size_t> numbers, std::size_t fallback) {
    if (numbers.empty()) numbers.push_back(fallback);
    return numbers;
}

} // namespace

std::string BenchTest::name() const {
    std::string name;
    if (test.n_prompt > 0) name = fmt::format("pp{}", test.n_prompt);
    if (test.n_gen > 0) name += fmt::format("{}tg{}", name.empty() ? "" : "+", test.n_gen);
    if (test.n_depth > 0) name += fmt::format(" @ d{}", test.n_depth);
    return name;
}

std::vector<std::size_t> parse_numbers(const std::vector<std::string>& lists, const char* flag,
                                       std::size_t lowest, std::size_t highest) {
    std::vector<std::size_t> numbers;
    for (const std::string& list : lists)
        for (const std::string_view part : split(list, ',')) {
            const auto range = parse_range(part);
            if (!range)
                throw UsageError(fmt::format("{} {}: not a number or a range like 128-512+128",
                                             flag, printable(part)));
            if (range->first < lowest || range->last > highest)
                throw UsageError(fmt::format("{} {}: must lie between {} and {}", flag,
                                             printable(part), lowest, highest));
            for (std::size_t n = range->first; n <= range->last;
                 n = range->multiplied ? n * range->step : n + range->step) {
                numbers.push_back(n);
                if (numbers.size() > max_list)
                    throw UsageError(fmt::format("{} {}: more than {} numbers", flag,
                                                 printable(part), max_list));
            }
        }
    return numbers;
}

std::vector<BenchTest> parse_tests(const BenchLists& lists) {
    std::vector<engine::BenchmarkTest> kinds;
    const auto prompts = or_default(parse_numbers(lists.n_prompt, "-p", 0, max_positions), 512);
    const auto gens = or_default(parse_numbers(lists.n_gen, "-n", 0, max_positions), 128);
    for (const std::size_t n : prompts)
        if (n > 0) kinds.push_back({.n_prompt = n});
    for (const std::size_t n : gens)
        if (n > 0) kinds.push_back({.n_gen = n});
    for (const std::string& pair : lists.prompt_gen) {
        const auto both = parse_numbers({pair}, "--prompt-gen", 1, max_positions);
        if (both.size() != 2)
            throw UsageError(
                fmt::format("--prompt-gen {}: give two numbers, PROMPT,GEN", printable(pair)));
        kinds.push_back({.n_prompt = both[0], .n_gen = both[1]});
    }
    if (kinds.empty()) throw UsageError("nothing to measure: -p 0 and -n 0 leave no test");

    std::vector<BenchTest> tests;
    for (const std::size_t batch : or_default(parse_numbers(lists.n_batch, "-b", 1, 4096), 256))
        for (const std::size_t threads :
             or_default(parse_numbers(lists.n_threads, "-t", 1, 256), 0))
            for (const std::size_t depth :
                 or_default(parse_numbers(lists.n_depth, "-d", 0, max_positions), 0))
                for (const std::size_t repeats :
                     or_default(parse_numbers(lists.n_repeats, "-r", 1, 1000), 5))
                    for (engine::BenchmarkTest kind : kinds) {
                        kind.n_depth = depth;
                        kind.n_batch = batch;
                        tests.push_back({kind, static_cast<int>(threads), repeats});
                    }
    return tests;
}

} // namespace pillar::cli
