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

/// The numbers that the lists name, or the defaults.
struct BenchNumbers {
    std::vector<std::size_t> n_prompt, n_gen, n_depth, n_batch, n_threads, n_repeats;
    std::vector<std::size_t> prompt_gen; ///< two a test
};
/// Throws UsageError.
BenchNumbers resolve(const BenchLists& lists);

/// Files of "a.gguf,b.gguf". A comma is part of a name where there is a file of that name.
std::vector<std::string> file_names(const std::vector<std::string>& lists);

/// All combinations; 512 prompt tokens and 128 generated ones unless something else is asked for.
/// Throws UsageError.
std::vector<BenchTest> parse_tests(const BenchLists& lists);

} // namespace pillar::cli
