// Penalties and the check of the flags.

#include "pillar/core/errors.hpp"
#include "pillar/sampling/sampling.hpp"

#include <gtest/gtest.h>
#include <limits>
#include <map>
#include <random>

namespace pillar::sampling {
namespace {

/// Zeros, one a logit.
std::span<std::uint32_t> counts_of(std::span<const float> logits) {
    static std::vector<std::uint32_t> counts;
    counts.assign(logits.size(), 0);
    return counts;
}

TEST(penalties, follow_the_formula_by_hand) {
    Parameters p;
    p.repeat_penalty = 2.0f;
    p.frequency_penalty = 0.5f;
    p.presence_penalty = 0.25f;
    std::vector<float> logits = {1.0f, -1.0f, 3.0f, 0.0f, 5.0f};
    const std::vector<TokenId> history = {0, 1, 1, 3, 1, 99, -4};
    const std::span<std::uint32_t> counts = counts_of(logits);
    apply_penalties(p, history, 0, logits, counts);
    for (const std::uint32_t count : counts) EXPECT_EQ(count, 0u);
    EXPECT_EQ(logits, (std::vector<float>{0.5f - 0.75f, -2.0f - 1.75f, 3.0f, -0.75f, 5.0f}));
}

TEST(penalties, look_at_the_last_n_tokens_only) {
    Parameters p;
    p.presence_penalty = 1.0f;
    const std::vector<TokenId> history = {0, 1, 2};
    const auto with_last_n = [&](std::int32_t n) {
        p.repeat_last_n = n;
        std::vector<float> logits(3, 0.0f);
        apply_penalties(p, history, 0, logits, counts_of(logits));
        return logits;
    };
    EXPECT_EQ(with_last_n(0), (std::vector<float>{0, 0, 0}));
    EXPECT_EQ(with_last_n(1), (std::vector<float>{0, 0, -1}));
    EXPECT_EQ(with_last_n(2), (std::vector<float>{0, -1, -1}));
    EXPECT_EQ(with_last_n(64), (std::vector<float>{-1, -1, -1}));
    EXPECT_EQ(with_last_n(-1), (std::vector<float>{-1, -1, -1}));
}

TEST(penalties, on_slices_have_the_bits_of_the_whole_row) {
    std::mt19937 generator(5);
    std::uniform_int_distribution<TokenId> token(0, 99);
    std::normal_distribution<float> normal(0.0f, 3.0f);
    std::vector<float> logits(100);
    for (float& logit : logits) logit = normal(generator);
    std::vector<TokenId> history(300);
    for (TokenId& id : history) id = token(generator);
    Parameters p;
    p.repeat_penalty = 1.1f;
    p.frequency_penalty = 0.3f;
    p.presence_penalty = -0.2f;
    p.repeat_last_n = 77;

    std::map<TokenId, int> counts; // plain code
    for (std::size_t i = history.size() - 77; i < history.size(); ++i) ++counts[history[i]];
    std::vector<float> expected = logits;
    for (const auto& [id, count] : counts) {
        float& x = expected[static_cast<std::size_t>(id)];
        x = x > 0 ? x / 1.1f : x * 1.1f;
        x -= static_cast<float>(count) * 0.3f + -0.2f;
    }
    for (const std::size_t cut : {0u, 1u, 33u, 100u}) {
        std::vector<float> result = logits;
        apply_penalties(p, history, 0, std::span(result).first(cut), counts_of(result));
        apply_penalties(p, history, static_cast<TokenId>(cut), std::span(result).subspan(cut),
                        counts_of(result));
        EXPECT_EQ(result, expected);
    }
}

TEST(penalties, that_are_off_change_nothing) {
    std::vector<float> logits = {1.0f, -0.0f};
    apply_penalties({}, std::vector<TokenId>{0, 1}, 0, logits, counts_of(logits));
    EXPECT_EQ(logits, (std::vector<float>{1.0f, -0.0f}));
}

std::string complaint(const Parameters& parameters) {
    try {
        validate(parameters);
    } catch (const UsageError& error) {
        EXPECT_EQ(error.code(), ExitCode::usage);
        return error.what();
    }
    return "";
}

TEST(validate, accepts_the_defaults_and_every_way_of_off) {
    EXPECT_EQ(complaint({}), "");
    EXPECT_EQ(
        complaint({.temperature = 0, .top_k = 0, .top_p = 1, .min_p = 0, .repeat_last_n = -1}), "");
    EXPECT_EQ(complaint({.temperature = -1, .top_k = -1, .top_p = 0, .min_p = 1}), "");
}

TEST(validate, names_the_flag_its_value_and_the_rule) {
    EXPECT_EQ(complaint({.top_p = 1.5f}), "--top-p 1.5: must lie in [0, 1]");
    EXPECT_EQ(complaint({.min_p = -0.1f}), "--min-p -0.1: must lie in [0, 1]");
    EXPECT_EQ(complaint({.repeat_last_n = -2}),
              "--repeat-last-n -2: must be -1 (whole history), 0 (off) or a number of tokens");
    EXPECT_EQ(complaint({.repeat_penalty = 0.0f}), "--repeat-penalty 0: must be greater than 0");
    constexpr float nan = std::numeric_limits<float>::quiet_NaN();
    EXPECT_EQ(complaint({.temperature = nan}), "--temp nan: must be a finite number");
    EXPECT_EQ(complaint({.top_p = nan}), "--top-p nan: must lie in [0, 1]");
    EXPECT_NE(complaint({.repeat_penalty = nan}), "");
    EXPECT_NE(complaint({.frequency_penalty = nan}), "");
    EXPECT_NE(complaint({.presence_penalty = nan}), "");
}

TEST(candidates_needed, is_one_for_greedy_k_for_small_k_and_else_the_row) {
    EXPECT_EQ(candidates_needed({}), 40u);
    EXPECT_EQ(candidates_needed({.temperature = 0}), 1u);
    EXPECT_EQ(candidates_needed({.temperature = 0, .top_k = 0}), 1u);
    EXPECT_EQ(candidates_needed({.top_k = 1024}), 1024u);
    EXPECT_EQ(candidates_needed({.top_k = 1025}), 0u);
    EXPECT_EQ(candidates_needed({.top_k = 0}), 0u);
    EXPECT_EQ(candidates_needed({.top_k = -1}), 0u);
}

} // namespace
} // namespace pillar::sampling
