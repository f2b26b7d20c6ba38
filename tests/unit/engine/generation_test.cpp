// A generation without a model: which rows it asks for, and what ends it.

#include "pillar/engine/generation.hpp"

#include "pillar/gguf/directory.hpp"
#include "pillar/gguf/file.hpp"
#include "support/models/tiny_model.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace pillar::engine {
namespace {

/// <unk> 0, <s> 1, </s> 2, byte b at 3 + b.
const tokenizer::Tokenizer& tiny_tokenizer() {
    static const tokenizer::Tokenizer tokenizer = [] {
        const std::string bytes =
            support::build_tiny_model({.n_layers = 1, .dim = 32, .ffn = 32}).bytes();
        return tokenizer::Tokenizer(
            gguf::parse(std::as_bytes(std::span(bytes)), bytes.size(), "tiny").metadata);
    }();
    return tokenizer;
}

constexpr tokenizer::TokenId byte(char c) {
    return 3 + static_cast<unsigned char>(c);
}
constexpr tokenizer::TokenId end = 2;

/// Plays the loop's part: every row with logits is answered with the next of `answers`.
class Played {
  public:
    Played(std::vector<tokenizer::TokenId> prompt, const GenerationOptions& options,
           std::vector<tokenizer::TokenId> answers, int signal_at_step = -1)
        : generation(tiny_tokenizer(), std::move(prompt), "prompt", options,
                     [this](std::string_view part) { text += part; }) {
        StepPlan plan;
        for (int step = 0; generation.next(plan); plan.clear(), ++step) {
            if (step > 1000) throw std::runtime_error("the generation has no end");
            plans.push_back(plan);
            std::vector<RowOutcome> outcomes;
            sampling::Candidate best;
            const float raw = 0;
            for (std::size_t r = 0; r < plan.rows.size(); ++r) {
                if (!plan.rows[r].want_logits) continue;
                best.id = n_answers < answers.size() ? answers[n_answers] : byte('z');
                ++n_answers;
                RowOutcome outcome;
                outcome.row = static_cast<std::uint32_t>(r);
                outcome.candidates = {&best, 1};
                outcome.raw_logits = {&raw, 1};
                outcomes.push_back(outcome);
            }
            generation.done(static_cast<std::uint64_t>(step), plan, outcomes,
                            step == signal_at_step);
        }
    }

    std::string text; ///< before the generation, which writes it
    Generation generation;
    std::vector<StepPlan> plans;
    std::size_t n_answers = 0;
};

GenerationOptions greedy(std::int32_t n_predict, std::size_t n_context = 64) {
    GenerationOptions options;
    options.n_predict = n_predict;
    options.n_context = n_context;
    options.max_rows = 4;
    options.sampling.temperature = 0;
    return options;
}

std::vector<tokenizer::TokenId> prompt_of(std::size_t n) {
    return std::vector<tokenizer::TokenId>(n, byte('p'));
}

TEST(generation, of_no_token_computes_the_prompt_and_ends) {
    Played played(prompt_of(6), greedy(0), {});
    ASSERT_EQ(played.plans.size(), 2u); // chunks of 4
    EXPECT_EQ(played.plans[0].rows.size(), 4u);
    EXPECT_EQ(played.plans[1].rows.size(), 2u);
    EXPECT_EQ(played.generation.sequence().finish_reason(), FinishReason::length);
    EXPECT_EQ(played.generation.sequence().timings().n_prompt, 6u);
    EXPECT_EQ(played.generation.sequence().timings().n_generated, 0u);
    EXPECT_TRUE(played.generation.sequence().generated().empty());
    EXPECT_EQ(played.text, "");
}

TEST(generation, wants_logits_of_the_last_row_of_the_prompt_alone) {
    Played played(prompt_of(9), greedy(1), {byte('a')});
    std::vector<bool> wants;
    std::int32_t position = 0;
    for (const StepPlan& plan : played.plans)
        for (const forward::Row& row : plan.rows) {
            EXPECT_EQ(row.position, position++);
            wants.push_back(row.want_logits);
        }
    EXPECT_EQ(wants,
              (std::vector<bool>{false, false, false, false, false, false, false, false, true}));
    EXPECT_EQ(played.text, "a");
}

TEST(generation, ends_after_as_many_tokens_as_asked_for) {
    for (const std::int32_t n : {1, 2, 7}) {
        Played played(prompt_of(3), greedy(n), {});
        EXPECT_EQ(played.generation.sequence().finish_reason(), FinishReason::length);
        EXPECT_EQ(played.generation.sequence().generated().size(), static_cast<std::size_t>(n));
        EXPECT_EQ(played.text, std::string(static_cast<std::size_t>(n), 'z'));
        // the last token is not fed: nobody asks what follows it
        EXPECT_EQ(played.plans.size(), static_cast<std::size_t>(n));
    }
}

TEST(generation, fills_the_context_to_its_last_position_and_ends) {
    constexpr std::size_t n_context = 10;
    Played played(prompt_of(3), greedy(-1, n_context), {});
    EXPECT_EQ(played.generation.sequence().finish_reason(), FinishReason::context_full);
    std::int32_t last = 0;
    for (const StepPlan& plan : played.plans) last = plan.rows.back().position;
    EXPECT_EQ(last, static_cast<std::int32_t>(n_context) - 1);
    // positions 3 to 9 hold answers; what follows the last of them is told too
    EXPECT_EQ(played.generation.sequence().generated().size(), n_context - 3 + 1);
    EXPECT_EQ(played.text.size(), n_context - 3 + 1);
}

TEST(generation, with_a_prompt_that_fills_the_context_gives_one_token) {
    Played played(prompt_of(8), greedy(-1, 8), {byte('q')});
    EXPECT_EQ(played.generation.sequence().finish_reason(), FinishReason::context_full);
    EXPECT_EQ(played.text, "q");
    EXPECT_EQ(played.plans.size(), 2u);
    Played none(prompt_of(8), greedy(0, 8), {});
    EXPECT_EQ(none.generation.sequence().finish_reason(), FinishReason::length);
}

TEST(generation, of_as_many_tokens_as_the_context_has_room_for_ends_by_length) {
    Played played(prompt_of(3), greedy(8, 10), {});
    EXPECT_EQ(played.generation.sequence().finish_reason(), FinishReason::length);
    EXPECT_EQ(played.generation.sequence().generated().size(), 8u);
}

TEST(generation, ends_at_an_end_token_unless_it_is_ignored) {
    const std::vector<tokenizer::TokenId> answers = {byte('a'), end, byte('b')};
    Played played(prompt_of(2), greedy(5), answers);
    EXPECT_EQ(played.generation.sequence().finish_reason(), FinishReason::stop);
    EXPECT_EQ(played.text, "a");
    EXPECT_EQ(played.generation.sequence().generated().back(), end);
    GenerationOptions options = greedy(3);
    options.ignore_eos = true;
    Played on(prompt_of(2), options, answers);
    EXPECT_EQ(on.generation.sequence().finish_reason(), FinishReason::length);
    EXPECT_EQ(on.text, "ab");
}

TEST(generation, that_ends_within_a_character_tells_that_it_was_none) {
    // the first byte of a character of two
    Played played(prompt_of(2), greedy(2), {byte('a'), byte('\xC3')});
    EXPECT_EQ(played.text, "a\xEF\xBF\xBD");
    EXPECT_EQ(played.generation.sequence().completion(), played.text);
    Played whole(prompt_of(2), greedy(2), {byte('\xC3'), byte('\xA9')});
    EXPECT_EQ(whole.text, "\xC3\xA9");
}

TEST(generation, ends_when_a_signal_came_with_what_there_is) {
    Played played(prompt_of(2), greedy(-1), {byte('a')}, 1);
    EXPECT_EQ(played.generation.sequence().finish_reason(), FinishReason::signal);
    EXPECT_EQ(played.text, "az");
    Played early(prompt_of(9), greedy(-1), {}, 0); // within the prompt
    EXPECT_EQ(early.generation.sequence().finish_reason(), FinishReason::signal);
    EXPECT_EQ(early.text, "");
}

TEST(generation, without_a_candidate_is_a_fault_of_the_model) {
    Generation generation(tiny_tokenizer(), prompt_of(1), "", greedy(1), [](std::string_view) {});
    StepPlan plan;
    ASSERT_TRUE(generation.next(plan));
    const RowOutcome nothing;
    try {
        generation.done(0, plan, {&nothing, 1}, false);
        FAIL() << "was accepted";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::bad_data);
    }
}

} // namespace
} // namespace pillar::engine
