#include "pillar/bench/tests.hpp"

#include "pillar/core/errors.hpp"

#include <fmt/core.h>

namespace pillar::bench {

std::string BenchTest::name() const {
    std::string name;
    if (test.n_prompt > 0) name = fmt::format("pp{}", test.n_prompt);
    if (test.n_gen > 0) name += fmt::format("{}tg{}", name.empty() ? "" : "+", test.n_gen);
    if (test.n_depth > 0) name += fmt::format(" @ d{}", test.n_depth);
    return name;
}

std::vector<BenchTest> tests_of(const BenchLists& lists) {
    std::vector<engine::BenchmarkTest> kinds;
    for (const std::size_t n : lists.n_prompt)
        if (n > 0) kinds.push_back({.n_prompt = n});
    for (const std::size_t n : lists.n_gen)
        if (n > 0) kinds.push_back({.n_gen = n});
    for (const auto& [n_prompt, n_gen] : lists.prompt_gen)
        kinds.push_back({.n_prompt = n_prompt, .n_gen = n_gen});
    if (kinds.empty()) throw UsageError("nothing to measure: -p 0 and -n 0 leave no test");

    std::vector<BenchTest> tests;
    for (const std::size_t batch : lists.n_batch)
        for (const std::size_t threads : lists.n_threads)
            for (const std::size_t depth : lists.n_depth)
                for (const std::size_t repeats : lists.n_repeats)
                    for (engine::BenchmarkTest kind : kinds) {
                        kind.n_depth = depth;
                        kind.n_batch = batch;
                        tests.push_back({kind, static_cast<int>(threads), repeats});
                    }
    return tests;
}

} // namespace pillar::bench
