// Windows of a text: which rows are scored, and that labels bring the numbers that whole rows hold.

#include "pillar/engine/scoring.hpp"

#include "script.hpp"

#include <cmath>
#include <gmock/gmock.h>

namespace pillar::engine {
namespace {

using ::testing::ElementsAre;

struct Seen {
    std::vector<std::size_t> rows;
    std::vector<sampling::TokenId> labels;
    std::vector<float> logits;
    std::vector<double> sums;
};

Seen score(const ScoringWindow& window, std::size_t max_rows, std::size_t max_logit_rows,
           bool full_logits) {
    forward::TransformerOptions room = sized(max_rows, 1);
    room.max_logit_rows = max_logit_rows;
    OneRank rank(tiny(), room);
    LoopOptions options;
    options.log_sums = true;
    options.full_logits = full_logits;
    Loop loop(rank.transformer(), rank.comm(), options);
    Seen seen;
    WindowScoring scoring(room, [&](const Score& one) {
        EXPECT_EQ(one.full_logits.empty(), !full_logits);
        seen.rows.push_back(one.t);
        seen.labels.push_back(one.label);
        seen.logits.push_back(one.label_logit);
        seen.sums.push_back(one.log_sum.sum);
    });
    for (int again = 0; again < 2; ++again) { // the second window starts from an empty cache
        seen = {};
        scoring.begin(window);
        EXPECT_FALSE(loop.run(&scoring));
        EXPECT_TRUE(scoring.is_complete());
    }
    return seen;
}

TEST(window_scoring, scores_what_comes_after_the_first_rows) {
    const ScoringWindow window{{5, 7, 11, 13, 17, 19, 23}, 3};
    const Seen seen = score(window, 4, 2, false);
    EXPECT_THAT(seen.rows, ElementsAre(3, 4, 5));
    EXPECT_THAT(seen.labels, ElementsAre(17, 19, 23));
    for (const double sum : seen.sums) EXPECT_GT(sum, 1.0);
    EXPECT_TRUE(score({window.ids, window.ids.size()}, 4, 2, false).rows.empty());
    EXPECT_THAT(score({window.ids, 5, true}, 4, 1, false).rows, ElementsAre(5));
}

TEST(window_scoring, labels_bring_what_whole_rows_hold) {
    ScoringWindow window{{}, 8};
    for (int i = 0; i < 40; ++i) window.ids.push_back(3 + 7 * i % 290);
    const Seen whole = score(window, 64, 64, true);
    for (const auto& [max_rows, max_logit_rows] : {std::pair{64, 64}, {64, 3}, {5, 5}, {1, 1}}) {
        const Seen few = score(window, static_cast<std::size_t>(max_rows),
                               static_cast<std::size_t>(max_logit_rows), false);
        EXPECT_EQ(few.rows, whole.rows);
        EXPECT_EQ(few.labels, whole.labels);
        EXPECT_EQ(few.logits, whole.logits);
        EXPECT_EQ(few.sums, whole.sums);
    }
}

} // namespace
} // namespace pillar::engine
