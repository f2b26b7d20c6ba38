#pragma once
// What `bench` is asked to measure: lists of numbers, multiplied out as llama-bench does it.

#include "pillar/engine/benchmark.hpp"

#include <string>
#include <vector>

namespace pillar::cli {

/// The flags as they were given: llama-bench's lists and ranges.
struct BenchLists {
    std::vector<std::string> n_prompt{};   ///< -p
    std::vector<std::string> n_gen{};      ///< -n
    std::vector<std::string> prompt_gen{}; ///< --prompt-gen: "pp,tg" each
    std::vector<std::string> n_depth{};    ///< -d
    std::vector<std::string> n_batch{};    ///< -b
    std::vector<std::string> n_threads{};  ///< -t
    std::vector<std::string> n_repeats{};  ///< -r
};

/// One line of the results.
struct BenchTest {
    engine::BenchmarkTest test;
    int n_threads = 0; ///< 0: what the binding gives
    std::size_t n_repeats = 5;

    /// "pp512", "tg128", "pp512+tg128", "tg128 @ d512"
    [[nodiscard]] std::string name() const;
};

/// Numbers of "1,2,8", "128-512+128" (a step of 1 when none is given) and "1-64*2"; several lists
/// are joined. Throws UsageError naming `flag`.
std::vector<std::size_t> parse_numbers(const std::vector<std::string>& lists, const char* flag,
                                       std::size_t lowest, std::size_t highest);

/// All combinations; 512 prompt tokens and 128 generated ones unless something else is asked for.
/// Throws UsageError.
std::vector<BenchTest> parse_tests(const BenchLists& lists);

} // namespace pillar::cli
