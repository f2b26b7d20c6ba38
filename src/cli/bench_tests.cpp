#include "bench_tests.hpp"

#include "arguments/numbers.hpp"

#include "pillar/core/errors.hpp"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>

namespace pillar::cli {

namespace {

constexpr std::size_t max_positions = std::size_t{1} << 24;

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

BenchNumbers resolve(const BenchLists& lists) {
    BenchNumbers numbers;
    numbers.n_prompt = or_default(parse_numbers(lists.n_prompt, "-p", 0, max_positions), 512);
    numbers.n_gen = or_default(parse_numbers(lists.n_gen, "-n", 0, max_positions), 128);
    numbers.n_depth = or_default(parse_numbers(lists.n_depth, "-d", 0, max_positions), 0);
    numbers.n_batch = or_default(parse_numbers(lists.n_batch, "-b", 1, 4096), 256);
    numbers.n_threads = or_default(parse_numbers(lists.n_threads, "-t", 1, 256), 0);
    numbers.n_repeats = or_default(parse_numbers(lists.n_repeats, "-r", 1, 1000), 5);
    for (const std::string& pair : lists.prompt_gen) {
        const auto both = parse_numbers({pair}, "--prompt-gen", 1, max_positions);
        if (both.size() != 2)
            throw UsageError(
                fmt::format("--prompt-gen {}: give two numbers, PROMPT,GEN", printable(pair)));
        numbers.prompt_gen.insert(numbers.prompt_gen.end(), both.begin(), both.end());
    }
    return numbers;
}

std::vector<std::string> file_names(const std::vector<std::string>& lists) {
    std::vector<std::string> names;
    for (const std::string& list : lists) {
        for (std::size_t begin = 0; begin <= list.size();) {
            std::size_t end = list.size(); // the longest name that there is, else the shortest
            while (end != begin && end != std::string::npos &&
                   !std::filesystem::exists(list.substr(begin, end - begin)))
                end = list.rfind(',', end - 1);
            if (end == std::string::npos || end <= begin)
                end = std::min(list.find(',', begin), list.size());
            if (end == begin)
                throw UsageError(fmt::format("-m {}: a name is empty", printable(list)));
            names.push_back(list.substr(begin, end - begin));
            begin = end + 1;
        }
    }
    return names;
}

std::vector<BenchTest> parse_tests(const BenchLists& lists) {
    const BenchNumbers numbers = resolve(lists);
    std::vector<engine::BenchmarkTest> kinds;
    for (const std::size_t n : numbers.n_prompt)
        if (n > 0) kinds.push_back({.n_prompt = n});
    for (const std::size_t n : numbers.n_gen)
        if (n > 0) kinds.push_back({.n_gen = n});
    for (std::size_t i = 0; i < numbers.prompt_gen.size(); i += 2)
        kinds.push_back({.n_prompt = numbers.prompt_gen[i], .n_gen = numbers.prompt_gen[i + 1]});
    if (kinds.empty()) throw UsageError("nothing to measure: -p 0 and -n 0 leave no test");

    std::vector<BenchTest> tests;
    for (const std::size_t batch : numbers.n_batch)
        for (const std::size_t threads : numbers.n_threads)
            for (const std::size_t depth : numbers.n_depth)
                for (const std::size_t repeats : numbers.n_repeats)
                    for (engine::BenchmarkTest kind : kinds) {
                        kind.n_depth = depth;
                        kind.n_batch = batch;
                        tests.push_back({kind, static_cast<int>(threads), repeats});
                    }
    return tests;
}

} // namespace pillar::cli
