// Sequences among others: each has the text that it has alone, whatever the scheduler does.

#include "pillar/engine/continuous_batch.hpp"
#include "pillar/engine/generation.hpp"

#include "script.hpp"

#include "pillar/gguf/value.hpp"

#include <gtest/gtest.h>
#include <random>

namespace pillar::engine {
namespace {

struct Job {
    std::vector<tokenizer::TokenId> prompt;
    SequenceOptions options;
};

struct Answer {
    std::string text;
    std::vector<tokenizer::TokenId> ids;
    FinishReason reason = FinishReason::none;
    bool operator==(const Answer&) const = default;
};

const tokenizer::Tokenizer& tiny_tokenizer() {
    static const tokenizer::Tokenizer tokenizer(tiny().file().metadata());
    return tokenizer;
}

constexpr std::size_t n_context = 1024;

/// Prompts of many lengths, some beginning with the same pages; sampled in many ways.
std::vector<Job> jobs(std::size_t n, std::size_t longest_prefix) {
    std::mt19937 random(7);
    const auto below = [&](std::size_t end) { return static_cast<std::size_t>(random()) % end; };
    std::vector<tokenizer::TokenId> system;
    for (std::size_t i = 0; i < longest_prefix; ++i)
        system.push_back(token(1, static_cast<int>(i)));
    std::vector<Job> all;
    for (std::size_t j = 0; j < n; ++j) {
        Job job;
        if (longest_prefix > 0 && j % 3 != 2)
            job.prompt.assign(system.begin(),
                              system.end() - static_cast<std::ptrdiff_t>(j % 4 == 3 ? 30 : 0));
        const std::size_t own = 1 + below(40);
        for (std::size_t i = 0; i < own; ++i)
            job.prompt.push_back(token(static_cast<int>(j), static_cast<int>(i)));
        job.options.n_predict = static_cast<std::int32_t>(below(12));
        job.options.n_context = n_context;
        job.options.ignore_eos = j % 2 == 0;
        job.options.sampling.seed = j;
        job.options.sampling.temperature = j % 4 == 0 ? 0.0f : 0.9f;
        job.options.sampling.top_k = j % 5 == 4 ? 0 : 20; // 0: whole rows
        job.options.sampling.repeat_penalty = j % 3 == 1 ? 1.3f : 1.0f;
        all.push_back(std::move(job));
    }
    return all;
}

Answer answer_of(const Sequence& sequence) {
    return {sequence.completion(),
            {sequence.generated().begin(), sequence.generated().end()},
            sequence.finish_reason()};
}

Answer alone(const Job& job) {
    forward::TransformerOptions model = sized(16, 1);
    model.n_context = n_context;
    OneRank rank(tiny(), model);
    GenerationOptions options;
    static_cast<SequenceOptions&>(options) = job.options;
    options.max_rows = 16;
    LoopOptions loop_options;
    loop_options.sampling = job.options.sampling;
    loop_options.n_candidates = 64;
    loop_options.full_logits = job.options.sampling.top_k == 0;
    if (job.options.ignore_eos) loop_options.banned = tiny_tokenizer().end_tokens();
    Loop loop(rank.transformer(), rank.comm(), loop_options);
    Generation generation(tiny_tokenizer(), job.prompt, "", options, nullptr);
    loop.run(&generation);
    return answer_of(generation.sequence());
}

struct Outcome {
    std::vector<Answer> answers;
    BatchCounts counts;
};

Outcome together(const std::vector<Job>& all, std::size_t max_sequences, std::size_t max_rows,
                 std::size_t n_pages, const std::function<void(const Sequence&)>& look = {}) {
    forward::TransformerOptions model = sized(max_rows, max_sequences);
    model.n_context = n_context;
    model.max_logit_rows = max_sequences;
    model.n_pages = n_pages;
    OneRank rank(tiny(), model, 2);
    LoopOptions loop_options;
    loop_options.n_candidates = 64;
    loop_options.max_full_rows = 2;
    loop_options.log_sums = true;
    loop_options.banned = tiny_tokenizer().end_tokens();
    Loop loop(rank.transformer(), rank.comm(), loop_options);
    Outcome outcome;
    outcome.answers.resize(all.size());
    std::size_t next = 0;
    const auto source = [&](bool) -> ContinuousBatch::Next {
        if (next == all.size()) return {.sequence = nullptr, .is_end = true};
        const auto number = static_cast<std::int32_t>(next);
        const Job& job = all[next++];
        return {std::make_unique<Sequence>(tiny_tokenizer(), number, job.prompt, "", job.options,
                                           nullptr)};
    };
    const auto finished = [&](std::unique_ptr<Sequence> sequence) {
        if (look) look(*sequence);
        outcome.answers[static_cast<std::size_t>(sequence->number())] = answer_of(*sequence);
    };
    ContinuousBatch batch({.max_sequences = max_sequences,
                           .max_rows = max_rows,
                           .max_prompt_rows = max_rows / 2,
                           .n_pages = n_pages,
                           .n_context = n_context,
                           .shares_pages = true,
                           .n_candidates = 64},
                          source, finished);
    EXPECT_FALSE(loop.run(&batch));
    outcome.counts = batch.counts();
    return outcome;
}

void expect_same(const std::vector<Job>& all, const std::vector<Answer>& answers) {
    for (std::size_t j = 0; j < all.size(); ++j) EXPECT_EQ(answers[j], alone(all[j])) << j;
}

TEST(continuous_batch, gives_every_sequence_the_text_that_it_has_alone) {
    const std::vector<Job> all = jobs(16, 0);
    const Outcome outcome = together(all, 5, 16, 20);
    expect_same(all, outcome.answers);
    EXPECT_EQ(outcome.counts.n_finished, all.size());
    EXPECT_EQ(outcome.counts.n_set_back, 0u);
    for (const auto& [max_sequences, max_rows] : {std::pair{1, 4}, {3, 3}, {16, 64}})
        EXPECT_EQ(together(all, static_cast<std::size_t>(max_sequences),
                           static_cast<std::size_t>(max_rows), 24)
                      .answers,
                  outcome.answers);
}

TEST(continuous_batch, computes_pages_that_prompts_share_once) {
    const std::vector<Job> all = jobs(14, 600);
    const Outcome outcome = together(all, 4, 64, 16);
    expect_same(all, outcome.answers);
    std::size_t n_same = 0; // all but the first of those with whole pages in common
    for (std::size_t j = 1; j < all.size(); ++j) n_same += j % 3 != 2 ? 1 : 0;
    EXPECT_EQ(outcome.counts.n_shared_positions, n_same * 512);
}

TEST(continuous_batch, sets_the_youngest_back_when_the_pool_is_empty) {
    std::vector<Job> all = jobs(8, 0);
    for (Job& job : all) { // each grows from its first page into its second or third
        const auto own = static_cast<int>(job.options.sampling.seed);
        while (job.prompt.size() < 250)
            job.prompt.push_back(token(own, static_cast<int>(job.prompt.size())));
        job.options.n_predict = 20;
        job.options.ignore_eos = true;
    }
    const Outcome outcome = together(all, 4, 64, 5); // pages for one context, four sequences
    EXPECT_GT(outcome.counts.n_set_back, 0u);
    EXPECT_EQ(outcome.counts.n_finished, all.size());
    expect_same(all, outcome.answers);
}

TEST(continuous_batch, biases_logits_of_one_sequence_alone) {
    std::vector<Job> all = jobs(6, 0);
    for (Job& job : all) {
        job.options.n_predict = 6;
        job.options.ignore_eos = true;
    }
    const std::vector<Answer> plain = together(all, 3, 16, 12).answers;
    all[2].options.biases = {{40, 1000.0f}};
    const std::vector<Answer> biased = together(all, 3, 16, 12).answers;
    for (const std::size_t j : {0, 1, 3, 4, 5}) EXPECT_EQ(biased[j], plain[j]);
    EXPECT_EQ(biased[2].ids, std::vector<tokenizer::TokenId>(6, 40));
}

TEST(continuous_batch, tells_the_most_probable_tokens_before_what_moves_their_logits) {
    std::vector<Job> all = jobs(4, 0);
    for (Job& job : all) {
        job.options.n_predict = 5;
        job.options.ignore_eos = true;
        job.options.n_top_logprobs = 3;
        job.options.sampling.temperature = 0;
        job.options.sampling.repeat_penalty = 1.0f;
    }
    std::vector<std::vector<TokenLogprobs>> plain(all.size()), biased(all.size());
    together(all, 2, 16, 12, [&](const Sequence& s) {
        plain[static_cast<std::size_t>(s.number())] = s.logprobs();
    });
    for (Job& job : all) job.options.biases = {{50, 1000.0f}};
    together(all, 2, 16, 12, [&](const Sequence& s) {
        biased[static_cast<std::size_t>(s.number())] = s.logprobs();
    });
    for (std::size_t j = 0; j < all.size(); ++j) {
        EXPECT_EQ(biased[j][0].id, 50);
        EXPECT_EQ(biased[j][0].top, plain[j][0].top); // of the same prompt
        EXPECT_EQ(plain[j][0].top.size(), 3u);
        EXPECT_EQ(plain[j][0].top[0].first, plain[j][0].id);
    }
}

TEST(continuous_batch, reads_no_more_prompts_than_there_are_pages_for) {
    std::vector<Job> all = jobs(8, 0);
    for (Job& job : all) {
        const auto own = static_cast<int>(job.options.sampling.seed);
        while (job.prompt.size() < 600)
            job.prompt.push_back(token(own, static_cast<int>(job.prompt.size())));
        job.options.n_predict = 2;
        job.options.ignore_eos = true;
    }
    const Outcome outcome = together(all, 8, 64, 6); // two at a time
    EXPECT_EQ(outcome.counts.n_finished, all.size());
    EXPECT_EQ(outcome.counts.n_set_back, 0u);
}

TEST(continuous_batch, leaves_what_runs_unfinished_when_a_signal_comes) {
    const std::vector<Job> all = jobs(4, 0);
    std::size_t next = 0, n_finished = 0;
    ContinuousBatch batch(
        {.max_sequences = 2, .max_rows = 8, .n_pages = 8, .n_context = n_context},
        [&](bool) -> ContinuousBatch::Next {
            const Job& job = all[next];
            return {std::make_unique<Sequence>(tiny_tokenizer(), static_cast<std::int32_t>(next++),
                                               job.prompt, "", job.options, nullptr)};
        },
        [&](std::unique_ptr<Sequence>) { ++n_finished; });
    StepPlan plan;
    ASSERT_TRUE(batch.next(plan));
    batch.done(0, plan, {}, true);
    plan.clear();
    EXPECT_FALSE(batch.next(plan));
    EXPECT_EQ(n_finished, 0u);
}

} // namespace
} // namespace pillar::engine
