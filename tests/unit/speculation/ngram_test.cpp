// Proposals: what they are, when they pay, and that they change no text.

#include "pillar/engine/generation.hpp"

#include "script.hpp"

#include "pillar/gguf/value.hpp"

#include <gtest/gtest.h>

namespace pillar::engine {
namespace {

using Tokens = std::vector<sampling::TokenId>;

Tokens found(const Tokens& tokens, std::size_t n) {
    const auto span = continuation(tokens, n);
    return {span.begin(), span.end()};
}

TEST(continuation, is_what_followed_the_longest_suffix_where_it_stood_last) {
    EXPECT_EQ(found({1, 2, 3, 4, 5, 1, 2}, 2), (Tokens{3, 4}));
    EXPECT_EQ(found({1, 2, 3, 4, 5, 1, 2}, 9), (Tokens{3, 4, 5, 1, 2})); // no further than the end
    EXPECT_EQ(found({1, 2, 7, 1, 2, 8, 1, 2}, 1), (Tokens{8}));          // the latest
    EXPECT_EQ(found({9, 1, 2, 7, 5, 1, 2, 8, 9, 1, 2}, 1), (Tokens{7})); // but the longest first
    EXPECT_EQ(found({6, 6, 6, 6}, 3), (Tokens{6}));                      // it may overlap the end
}

TEST(continuation, of_an_end_that_has_not_been_there_is_none) {
    EXPECT_TRUE(found({1, 2, 3}, 4).empty());
    EXPECT_TRUE(found({1, 2, 3, 2}, 4).empty()); // one token is too little
    EXPECT_TRUE(found({5}, 4).empty());
    EXPECT_TRUE(found({1, 2, 3, 1, 2}, 0).empty());
}

TEST(draft_length, is_the_most_where_proposals_are_right_and_steps_cost_the_same) {
    DraftLength length(7);
    for (int i = 0; i < 100; ++i) {
        const std::size_t n = length.next();
        length.add(n, n, 0.01);
    }
    EXPECT_EQ(length.next(), 7u);
}

TEST(draft_length, is_none_where_they_are_wrong_but_for_a_try_now_and_then) {
    DraftLength length(7);
    length.add(0, 0, 0.01);
    for (int i = 0; i < 200; ++i) length.add(1, 0, 0.0101);
    std::size_t n_tries = 0;
    for (int i = 0; i < 320; ++i) n_tries += length.next();
    EXPECT_EQ(n_tries, 10u);
}

TEST(draft_length, is_none_where_none_may_be) {
    DraftLength length(0);
    for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(length.next(), 0u);
        length.add(0, 0, 0.01);
    }
}

TEST(draft_length, is_short_where_rows_cost_as_much_as_steps) {
    DraftLength length(7);
    for (int round = 0; round < 50; ++round)
        for (std::size_t n = 0; n <= 7; ++n)
            length.add(n, n, 0.01 * static_cast<double>(1 + n)); // nothing is gained
    EXPECT_EQ(length.next(), 0u);
}

const tokenizer::Tokenizer& tiny_tokenizer() {
    static const tokenizer::Tokenizer tokenizer(tiny().file().metadata());
    return tokenizer;
}

struct Generated {
    std::string text;
    Tokens ids;
    FinishReason reason;
    bool operator==(const Generated&) const = default;
};

Generated generate(const Tokens& prompt, SequenceOptions of, std::size_t n_draft,
                   DraftCounts* counts = nullptr) {
    OneRank rank(tiny(), sized(16, 1), 2);
    GenerationOptions options;
    static_cast<SequenceOptions&>(options) = of;
    options.n_context = 512;
    options.max_rows = 16;
    options.n_draft = n_draft;
    LoopOptions loop_options;
    loop_options.sampling = of.sampling;
    loop_options.n_candidates = 64;
    Loop loop(rank.transformer(), rank.comm(), loop_options);
    Generation generation(tiny_tokenizer(), prompt, "", options, nullptr);
    loop.run(&generation);
    if (counts != nullptr) *counts = generation.draft_counts();
    const Sequence& sequence = generation.sequence();
    return {sequence.completion(),
            {sequence.generated().begin(), sequence.generated().end()},
            sequence.finish_reason()};
}

TEST(draft, changes_no_text) {
    Tokens repetitive;
    for (int i = 0; i < 60; ++i) repetitive.push_back(token(1, i % 12));
    std::uint64_t n_accepted = 0, n_refused = 0;
    for (const float temperature : {0.0f, 0.4f, 1.2f})
        for (const float penalty : {1.0f, 1.2f})
            for (const std::int32_t n : {1, 2, 9, 80}) {
                SequenceOptions options;
                options.n_predict = n;
                options.ignore_eos = true;
                options.sampling.temperature = temperature;
                options.sampling.top_k = 20;
                options.sampling.repeat_penalty = penalty;
                options.sampling.seed = static_cast<std::uint64_t>(n);
                const Generated plain = generate(repetitive, options, 0);
                for (const std::size_t n_draft : {1u, 4u, 15u}) {
                    DraftCounts counts;
                    EXPECT_EQ(generate(repetitive, options, n_draft, &counts), plain);
                    n_accepted += counts.n_accepted;
                    n_refused += counts.n_proposed - counts.n_accepted;
                }
            }
    EXPECT_GT(n_accepted, 100u); // both have happened
    EXPECT_GT(n_refused, 100u);
}

TEST(draft, ends_where_the_context_does) {
    Tokens prompt;
    for (int i = 0; i < 500; ++i) prompt.push_back(token(1, i % 5));
    SequenceOptions options;
    options.ignore_eos = true;
    options.sampling.temperature = 0;
    const Generated plain = generate(prompt, options, 0);
    EXPECT_EQ(plain.reason, FinishReason::context_full);
    EXPECT_EQ(generate(prompt, options, 7), plain);
}

} // namespace
} // namespace pillar::engine
