// Answers over one cached sequence: each is that of a fresh run over the whole prompt, and nothing
// that stands in the cache is fed again.

#include "pillar/engine/cached_generation.hpp"

#include "pillar/engine/generation.hpp"
#include "pillar/engine/signals.hpp"

#include "script.hpp"

#include <gtest/gtest.h>

namespace pillar::engine {
namespace {

using Ids = std::vector<tokenizer::TokenId>;

const tokenizer::Tokenizer& tiny_tokenizer() {
    static const tokenizer::Tokenizer tokenizer(tiny().file().metadata());
    return tokenizer;
}

SequenceOptions options_of(std::int32_t n_predict, float temperature) {
    SequenceOptions options;
    options.n_predict = n_predict;
    options.n_context = 512;
    options.ignore_eos = true;
    options.sampling.temperature = temperature;
    options.sampling.top_k = 20;
    options.sampling.repeat_penalty = 1.2f;
    options.sampling.seed = 11;
    return options;
}

Ids words(int which, int n) {
    Ids ids;
    for (int i = 0; i < n; ++i) ids.push_back(token(which, i));
    return ids;
}

/// One chat: turns of it, and what the loop was asked to compute.
class Chat {
  public:
    explicit Chat(const SequenceOptions& options, std::size_t max_rows = 16)
        : options_(options), rank_(tiny(), sized(16, 1), 2),
          loop_(rank_.transformer(), rank_.comm(), loop_options_for(options.sampling)),
          generation_(max_rows,
                      [this](std::int32_t n) { return rank_.transformer().keeps(0, n); }) {}

    /// The answer's tokens.
    Ids ask(const Ids& prompt) {
        generation_.begin(tiny_tokenizer(), prompt, "", options_, nullptr);
        EXPECT_FALSE(loop_.run(&generation_));
        const auto answer = generation_.sequence().generated();
        return {answer.begin(), answer.end()};
    }
    CachedGeneration& generation() { return generation_; }
    [[nodiscard]] std::uint64_t n_steps() const { return loop_.n_steps(); }
    Loop& loop() { return loop_; }

  private:
    SequenceOptions options_;
    OneRank rank_;
    Loop loop_;
    CachedGeneration generation_;
};

Ids fresh(const Ids& prompt, const SequenceOptions& options) {
    OneRank rank(tiny(), sized(16, 1));
    Loop loop(rank.transformer(), rank.comm(), loop_options_for(options.sampling));
    GenerationOptions all;
    static_cast<SequenceOptions&>(all) = options;
    all.max_rows = 5;
    Generation generation(tiny_tokenizer(), prompt, "", all, nullptr);
    loop.run(&generation);
    const auto answer = generation.sequence().generated();
    return {answer.begin(), answer.end()};
}

Ids joined(Ids a, const Ids& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

TEST(cached_generation, answers_as_a_fresh_run_over_the_whole_prompt) {
    for (const float temperature : {0.0f, 0.9f}) {
        const SequenceOptions options = options_of(9, temperature);
        Chat chat(options);
        Ids prompt = words(1, 40);
        for (int turn = 0; turn < 5; ++turn) {
            const Ids answer = chat.ask(prompt);
            EXPECT_EQ(answer, fresh(prompt, options)) << "turn " << turn;
            prompt = joined(joined(prompt, answer), words(2 + turn, 7));
        }
    }
}

TEST(cached_generation, feeds_every_row_once) {
    Chat chat(options_of(9, 0));
    Ids prompt = words(1, 40);
    std::size_t n_cached = 0;
    for (int turn = 0; turn < 5; ++turn) {
        const Ids answer = chat.ask(prompt);
        const CachedGeneration& generation = chat.generation();
        EXPECT_EQ(generation.n_found(), n_cached);
        EXPECT_EQ(generation.n_read(), prompt.size() - n_cached);
        // the last token of an answer is told and not fed
        n_cached = prompt.size() + answer.size() - 1;
        EXPECT_EQ(generation.cached().size(), n_cached);
        prompt = joined(joined(prompt, answer), words(2 + turn, 7));
    }
}

TEST(cached_generation, goes_back_to_what_prompts_have_in_common) {
    const SequenceOptions options = options_of(6, 0.9f);
    Chat chat(options);
    const Ids first = words(1, 50);
    chat.ask(first);
    // another second half; the same once more; a beginning of it; nothing in common
    const Ids second = joined(words(1, 23), words(5, 30));
    EXPECT_EQ(chat.ask(second), fresh(second, options));
    EXPECT_EQ(chat.generation().n_found(), 23u);
    EXPECT_EQ(chat.ask(second), fresh(second, options));
    EXPECT_EQ(chat.generation().n_found(), second.size() - 1);
    EXPECT_EQ(chat.generation().n_read(), 1u);
    const Ids third = words(1, 10);
    EXPECT_EQ(chat.ask(third), fresh(third, options));
    EXPECT_EQ(chat.generation().n_found(), 9u);
    const Ids other = words(7, 12);
    EXPECT_EQ(chat.ask(other), fresh(other, options));
    EXPECT_LT(chat.generation().n_found(), 2u);
}

TEST(cached_generation, reads_all_where_the_cache_cannot_go_back) {
    CachedGeneration generation(4, [](std::int32_t) { return false; });
    StepPlan plan;
    const auto feed = [&](const Ids& prompt) {
        generation.begin(tiny_tokenizer(), prompt, "", options_of(0, 0), nullptr);
        std::vector<StepPlan::Keep> keeps;
        for (std::uint64_t step = 0;; ++step) {
            plan.clear();
            if (!generation.next(plan)) return keeps;
            keeps.insert(keeps.end(), plan.keeps.begin(), plan.keeps.end());
            std::vector<RowOutcome> outcomes;
            if (plan.rows.back().want_logits) outcomes.resize(1);
            generation.done(step, plan, outcomes, false);
        }
    };
    EXPECT_TRUE(feed(words(1, 10)).empty());
    // what only grows needs no going back
    EXPECT_TRUE(feed(words(1, 14)).empty());
    EXPECT_EQ(generation.n_found(), 10u);
    const auto keeps = feed(joined(words(1, 5), words(2, 5)));
    ASSERT_EQ(keeps.size(), 1u);
    EXPECT_EQ(keeps.front().n_positions, 0);
    EXPECT_EQ(generation.n_read(), 10u);
}

TEST(cached_generation, goes_on_after_an_answer_that_a_signal_has_ended) {
    const SequenceOptions options = options_of(9, 0);
    Chat chat(options);
    const Ids prompt = words(1, 30);
    chat.generation().begin(tiny_tokenizer(), prompt, "", options, nullptr);
    request_stop();
    EXPECT_TRUE(chat.loop().run(&chat.generation()));
    EXPECT_EQ(chat.generation().sequence().finish_reason(), FinishReason::signal);
    clear_stop_request();
    EXPECT_EQ(chat.ask(prompt), fresh(prompt, options));
}

} // namespace
} // namespace pillar::engine
