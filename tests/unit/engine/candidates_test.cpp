// What rank 0 gets to pick from: all ranks' candidates, merged, after bans and penalties.

#include "pillar/engine/loop.hpp"

#include "script.hpp"

#include "support/ranks/dry_run.hpp"

#include <algorithm>
#include <bit>
#include <gtest/gtest.h>

namespace pillar::engine {
namespace {

TEST(loop, merges_the_replies_of_any_number_of_ranks) {
    OneRank rank(tiny(), sized(4, 1));
    const auto many =
        support::make_dry_run(0, 600, comm::Algorithm::recursive_doubling, comm::Wire::f32);
    LoopOptions options;
    options.n_candidates = 4;
    options.log_sums = true;
    Loop loop(rank.transformer(), *many, options);
    struct One : Scheduler {
        bool next(StepPlan& plan) override {
            if (is_done) return false;
            plan.rows.push_back({3, 0, 0, true});
            return true;
        }
        void done(std::uint64_t, const StepPlan&, std::span<const RowOutcome> outcomes,
                  bool) override {
            is_done = true;
            n_candidates = outcomes[0].candidates.size();
        }
        bool is_done = false;
        std::size_t n_candidates = 0;
    } one;
    EXPECT_FALSE(loop.run(&one));
    EXPECT_EQ(one.n_candidates, 4u);
}

TEST(loop, offers_the_best_candidates_with_raw_logits_after_bans_and_penalties) {
    OneRank plain(tiny(), sized(4, 1)), candid(tiny(), sized(4, 1));
    const auto logits = play(plain, {step({{0, 0}})}).at({0, 0});
    LoopOptions options;
    options.n_candidates = 5;
    const auto best = static_cast<std::int32_t>(
        std::max_element(
            logits.begin(), logits.end(),
            [](auto a, auto b) { return std::bit_cast<float>(a) < std::bit_cast<float>(b); }) -
        logits.begin());
    options.banned = {best};
    Loop loop(candid.transformer(), candid.comm(), options);
    struct Keep : Scheduler {
        std::vector<sampling::Candidate> candidates;
        std::vector<float> raw;
        bool fed = false;
        bool next(StepPlan& plan) override {
            if (fed) return false;
            plan = step({{0, 0}});
            return fed = true;
        }
        void done(std::uint64_t, const StepPlan&, std::span<const RowOutcome> outcomes,
                  bool) override {
            candidates.assign(outcomes[0].candidates.begin(), outcomes[0].candidates.end());
            raw.assign(outcomes[0].raw_logits.begin(), outcomes[0].raw_logits.end());
        }
    } keep;
    loop.run(&keep);
    ASSERT_EQ(keep.candidates.size(), 5u);
    for (std::size_t i = 0; i < 5; ++i) {
        EXPECT_NE(keep.candidates[i].id, best);
        EXPECT_EQ(std::bit_cast<std::uint32_t>(keep.raw[i]),
                  logits[static_cast<std::size_t>(keep.candidates[i].id)]);
        if (i > 0) {
            EXPECT_GE(keep.candidates[i - 1].logit, keep.candidates[i].logit);
        }
    }
}

/// A presence penalty on sequence 1 alone, and the same token in both sequences.
std::vector<std::vector<sampling::Candidate>> candidates_of_two() {
    OneRank rank(tiny(), sized(4, 2));
    LoopOptions options;
    options.full_logits = true;
    Loop loop(rank.transformer(), rank.comm(), options);
    struct Keep : Scheduler {
        std::vector<std::vector<sampling::Candidate>> of_rows;
        bool fed = false;
        bool next(StepPlan& plan) override {
            if (fed) return false;
            for (const std::int32_t sequence : {0, 1}) plan.rows.push_back({7, 0, sequence, true});
            StepPlan::Sampling own;
            own.sequence = 1;
            own.parameters.presence_penalty = 1000;
            plan.samplings.push_back(own);
            return fed = true;
        }
        void done(std::uint64_t, const StepPlan&, std::span<const RowOutcome> outcomes,
                  bool) override {
            for (const RowOutcome& outcome : outcomes)
                of_rows.emplace_back(outcome.candidates.begin(), outcome.candidates.end());
        }
    } keep;
    loop.run(&keep);
    return keep.of_rows;
}

TEST(loop, gives_each_sequence_its_own_penalties_with_whole_rows_too) {
    const auto logit_of_7 = [](const std::vector<sampling::Candidate>& candidates) {
        const auto found = std::ranges::find(candidates, 7, &sampling::Candidate::id);
        return found == candidates.end() ? -1e9f : found->logit;
    };
    const auto whole = candidates_of_two();
    ASSERT_EQ(whole.size(), 2u);
    EXPECT_EQ(logit_of_7(whole[1]), logit_of_7(whole[0]) - 1000.0f);
}

} // namespace
} // namespace pillar::engine
