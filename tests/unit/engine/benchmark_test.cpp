// What the benchmark feeds: every position once, in chunks, the depth before the clock starts.

#include "pillar/engine/benchmark.hpp"

#include "support/models/model_files.hpp"

#include <gtest/gtest.h>

namespace pillar::engine {
namespace {

constexpr std::size_t vocab_size = 300;

/// The plans of one run, as the loop would ask for them.
std::vector<StepPlan> plans_of(Benchmark& benchmark, const BenchmarkTest& test) {
    benchmark.begin(test);
    std::vector<StepPlan> plans;
    for (StepPlan plan; benchmark.next(plan); plan.clear()) {
        benchmark.done(plans.size(), plan, {}, false);
        plans.push_back(plan);
    }
    return plans;
}

std::size_t n_wanted(const StepPlan& plan) {
    std::size_t n = 0;
    for (const forward::Row& row : plan.rows) n += row.want_logits ? 1u : 0u;
    return n;
}

/// Rows in the order of their positions from `first` on; tokens within the vocabulary.
void expect_rows(const std::vector<StepPlan>& plans, std::size_t first,
                 const std::vector<std::size_t>& sizes) {
    ASSERT_EQ(plans.size(), sizes.size());
    std::size_t position = first;
    for (std::size_t i = 0; i < plans.size(); ++i) {
        EXPECT_EQ(plans[i].rows.size(), sizes[i]) << i;
        for (const forward::Row& row : plans[i].rows) {
            EXPECT_EQ(row.position, static_cast<int>(position++));
            EXPECT_GE(row.token, 0);
            EXPECT_LT(row.token, static_cast<int>(vocab_size));
        }
    }
}

TEST(benchmark, feeds_a_prompt_in_chunks_and_asks_for_its_last_logits) {
    Benchmark benchmark(vocab_size);
    const auto plans = plans_of(benchmark, {.n_prompt = 70, .n_batch = 32});
    expect_rows(plans, 0, {32, 32, 6});
    EXPECT_EQ(n_wanted(plans[0]) + n_wanted(plans[1]), 0u);
    EXPECT_TRUE(plans[2].rows.back().want_logits);
    EXPECT_EQ(n_wanted(plans[2]), 1u);
    EXPECT_EQ(plans[2].phase, Phase::prefill);
    EXPECT_GT(benchmark.elapsed_s(), 0);
}

TEST(benchmark, generates_token_after_token_each_with_logits) {
    Benchmark benchmark(vocab_size);
    const auto plans = plans_of(benchmark, {.n_prompt = 4, .n_gen = 3});
    expect_rows(plans, 0, {4, 1, 1, 1});
    for (std::size_t i = 1; i < 4; ++i) {
        EXPECT_EQ(n_wanted(plans[i]), 1u);
        EXPECT_EQ(plans[i].phase, Phase::decode);
    }
}

TEST(benchmark, fills_the_depth_once_and_cuts_back_to_it) {
    Benchmark benchmark(vocab_size);
    const BenchmarkTest test{.n_gen = 2, .n_depth = 50, .n_batch = 32};
    const auto first = plans_of(benchmark, test);
    expect_rows(first, 0, {32, 18, 1, 1});
    EXPECT_EQ(n_wanted(first[0]) + n_wanted(first[1]), 0u);
    EXPECT_TRUE(first[0].keeps.empty());

    const auto again = plans_of(benchmark, test);
    expect_rows(again, 50, {1, 1});
    ASSERT_EQ(again[0].keeps.size(), 1u);
    EXPECT_EQ(again[0].keeps[0].n_positions, 50);
    EXPECT_EQ(again[0].rows[0].token, first[2].rows[0].token);

    const auto shallower = plans_of(benchmark, {.n_prompt = 8, .n_depth = 10});
    expect_rows(shallower, 10, {8});
    EXPECT_EQ(shallower[0].keeps.at(0).n_positions, 10);
    expect_rows(plans_of(benchmark, {.n_prompt = 8, .n_depth = 20}), 18, {2, 8});
}

TEST(benchmark, fills_the_depth_again_where_the_model_has_forgotten_it) {
    Benchmark benchmark(vocab_size, [](std::size_t n) { return n >= 70; });
    const BenchmarkTest test{.n_gen = 2, .n_depth = 50, .n_batch = 32};
    plans_of(benchmark, test);
    const auto again = plans_of(benchmark, test);
    expect_rows(again, 0, {32, 18, 1, 1});
    EXPECT_EQ(again[0].keeps.at(0).n_positions, 0);
    plans_of(benchmark, {.n_gen = 2, .n_depth = 80, .n_batch = 32});
    expect_rows(plans_of(benchmark, {.n_gen = 2, .n_depth = 80, .n_batch = 32}), 80, {1, 1});
}

TEST(benchmark, ends_at_a_signal) {
    Benchmark benchmark(vocab_size);
    benchmark.begin({.n_gen = 100});
    StepPlan plan;
    ASSERT_TRUE(benchmark.next(plan));
    benchmark.done(0, plan, {}, true);
    plan.clear();
    EXPECT_FALSE(benchmark.next(plan));
}

TEST(benchmark, runs_in_the_loop_of_a_real_model) {
    static const support::ModelFile model(support::TinyModel{.context = 256});
    forward::TransformerOptions options;
    options.n_context = 64;
    options.max_rows = 16;
    support::OneRank rank(model, options);
    Loop loop(rank.transformer(), rank.comm(), {});
    Benchmark bench(rank.transformer().hyperparameters().vocab_size);
    const BenchmarkTest test{.n_prompt = 20, .n_gen = 4, .n_depth = 30, .n_batch = 16};
    bench.begin(test);
    EXPECT_FALSE(loop.run(&bench));
    EXPECT_EQ(loop.n_steps(), 2u + 2u + 4u);
    bench.begin(test);
    EXPECT_FALSE(loop.run(&bench));
    EXPECT_EQ(loop.n_steps(), 8u + 2u + 4u);
    EXPECT_GT(bench.elapsed_s(), 0);
}

} // namespace
} // namespace pillar::engine
