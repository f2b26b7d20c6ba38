#pragma once
// What `bench` is asked to measure: lists of numbers, multiplied out as llama-bench does it.

#include "pillar/engine/benchmark.hpp"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace pillar::bench {

inline constexpr std::size_t max_positions = std::size_t{1} << 24;

struct BenchLists {
    std::vector<std::size_t> n_prompt = {512};                     ///< -p
    std::vector<std::size_t> n_gen = {128};                        ///< -n
    std::vector<std::pair<std::size_t, std::size_t>> prompt_gen{}; ///< --prompt-gen
    std::vector<std::size_t> n_depth = {0};                        ///< -d
    std::vector<std::size_t> n_batch = {256};                      ///< -b
    std::vector<std::size_t> n_threads = {0}; ///< -t; 0: what the binding gives
    std::vector<std::size_t> n_repeats = {5}; ///< -r
};

/// One line of the results.
struct BenchTest {
    engine::BenchmarkTest test;
    int n_threads = 0; ///< 0: what the binding gives
    std::size_t n_repeats = 5;

    /// "pp512", "tg128", "pp512+tg128", "tg128 @ d512"
    [[nodiscard]] std::string name() const;
};

/// All combinations; a prompt or an answer of 0 tokens is no test. Throws UsageError where none is
/// left.
std::vector<BenchTest> tests_of(const BenchLists& lists);

} // namespace pillar::bench
