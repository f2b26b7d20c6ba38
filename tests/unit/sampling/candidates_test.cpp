// Choosing the best k of a row, merging the ranks' choices: against sorting everything.

#include "pillar/sampling/sampling.hpp"

#include "pillar/core/timing.hpp"
#include "support/memory_requests.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <limits>
#include <random>

namespace pillar::sampling {

bool operator==(const Candidate& a, const Candidate& b) {
    return a.id == b.id && a.logit == b.logit;
}

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

std::vector<float> random_logits(std::size_t n, unsigned seed, bool with_ties = false) {
    std::mt19937 generator(seed);
    std::normal_distribution<float> normal(0.0f, 4.0f);
    std::vector<float> logits(n);
    for (float& logit : logits) {
        logit = normal(generator);
        if (with_ties) logit = std::round(logit);
    }
    return logits;
}

std::vector<Candidate> sorted_all(std::span<const float> logits, TokenId first_id) {
    std::vector<Candidate> all;
    for (std::size_t i = 0; i < logits.size(); ++i)
        if (logits[i] == logits[i]) all.push_back({first_id + static_cast<TokenId>(i), logits[i]});
    std::ranges::sort(all, [](const auto& a, const auto& b) {
        return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
    });
    return all;
}

std::vector<Candidate> best_of(std::span<const float> logits, TokenId first_id, std::size_t k) {
    std::vector<Candidate> best(k);
    best.resize(best_candidates(logits, first_id, k, best));
    return best;
}

std::vector<Candidate> first_of(std::vector<Candidate> all, std::size_t k) {
    all.resize(std::min(all.size(), k));
    return all;
}

TEST(best_candidates, are_the_head_of_the_sorted_row) {
    for (const bool with_ties : {false, true}) {
        for (const std::size_t n : {1u, 2u, 31u, 32u, 33u, 1000u, 5003u}) {
            const auto logits = random_logits(n, 3, with_ties);
            const auto all = sorted_all(logits, 700);
            for (const std::size_t k : {1u, 2u, 5u, 32u, 40u, 1024u, 1025u, 6000u})
                EXPECT_EQ(best_of(logits, 700, k), first_of(all, k)) << n << " " << k;
        }
    }
}

TEST(best_candidates, of_equal_logits_are_the_lower_ids) {
    const std::vector<float> logits(100, 1.5f);
    const auto best = best_of(logits, 10, 3);
    EXPECT_EQ(best, (std::vector<Candidate>{{10, 1.5f}, {11, 1.5f}, {12, 1.5f}}));
}

TEST(best_candidates, never_include_nan_but_infinities) {
    std::vector<float> logits = random_logits(300, 5);
    for (std::size_t i = 0; i < logits.size(); i += 2) logits[i] = nan;
    logits[7] = infinity;
    logits[9] = -infinity;
    for (const std::size_t k : {1u, 40u, 300u, 2000u})
        EXPECT_EQ(best_of(logits, 0, k), first_of(sorted_all(logits, 0), k));
    EXPECT_TRUE(best_of(std::vector<float>(50, nan), 0, 40).empty());
    EXPECT_TRUE(best_of({}, 0, 40).empty());
    EXPECT_TRUE(best_of(logits, 0, 0).empty());
}

TEST(best_candidates, hold_for_rising_and_falling_rows) {
    std::vector<float> logits(5000);
    for (std::size_t i = 0; i < logits.size(); ++i) logits[i] = static_cast<float>(i);
    EXPECT_EQ(best_of(logits, 0, 40), first_of(sorted_all(logits, 0), 40));
    std::reverse(logits.begin(), logits.end());
    EXPECT_EQ(best_of(logits, 0, 40), first_of(sorted_all(logits, 0), 40));
}

TEST(best_candidates, need_no_memory) {
    const auto logits = random_logits(150000, 11);
    std::vector<Candidate> out(max_candidates);
    double fastest_s = infinity;
    for (int repeat = 0; repeat < 10; ++repeat) {
        const std::size_t before = support::n_memory_requests();
        const Stopwatch watch;
        best_candidates(logits, 0, 40, out);
        fastest_s = std::min(fastest_s, watch.elapsed_s());
        EXPECT_EQ(support::n_memory_requests(), before);
    }
    RecordProperty("microseconds", std::to_string(1e6 * fastest_s)); // to be read, not held
}

} // namespace
} // namespace pillar::sampling
