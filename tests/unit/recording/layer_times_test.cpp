// Layers from the gaps between all-reduces, with and without micro-batches. Times are multiples of
// 2^-6, so that expected values are exact.

#include "conversion/layer_times.hpp"

#include "support/planted_trace.hpp"

#include <gtest/gtest.h>

namespace pillar::recording {
namespace {

constexpr double unit = 1.0 / 64;

/// A step that begins at 100: a broadcast of one unit, embedding of two, then all-reduces of one
/// unit each after gaps of so many units, five units of output, a gather of one unit.
class PlantedLayers {
  public:
    explicit PlantedLayers(const std::vector<int>& gaps) {
        StepHead head;
        head.counts.step = 7;
        head.begin_s = 100;
        head.layers_begin_s = 3 * unit;
        double now_s = 100 + unit;
        std::vector<CollectiveTiming> all{{100, now_s, 16, CollectiveKind::broadcast}};
        now_s += 2 * unit;
        for (const int gap : gaps) {
            now_s += gap * unit;
            all.push_back({now_s, now_s + unit, 64, CollectiveKind::allreduce});
            now_s += unit;
        }
        now_s += 5 * unit;
        all.push_back({now_s, now_s + unit, 8, CollectiveKind::gather});
        head.end_s = now_s + unit;
        support::plant_step(rank_, head, all);
        // Of each collective a quarter was waiting.
        for (std::size_t i = 0; i < all.size(); ++i) parts_.push_back({unit / 4, 3 * unit / 4});
    }
    [[nodiscard]] std::vector<trace::LayerRow> layers(std::size_t n_layers) const {
        return layers_of(RankWalk(&rank_).take(7), parts_, n_layers, 20);
    }
    RankSteps& rank() { return rank_; }

  private:
    RankSteps rank_;
    std::vector<StepDivider::Part> parts_;
};

TEST(Layers, AreTheGapsBetweenAllReduces) {
    const auto rows = PlantedLayers({10, 20, 11, 21}).layers(2);
    ASSERT_EQ(rows.size(), 2);
    EXPECT_EQ(rows[0].step, 7);
    EXPECT_EQ(rows[0].layer, 0);
    EXPECT_EQ(rows[1].layer, 1);
    EXPECT_EQ(rows[0].attention_s, 10 * unit);
    EXPECT_EQ(rows[0].feed_forward_s, 20 * unit);
    EXPECT_EQ(rows[1].attention_s, 11 * unit);
    EXPECT_EQ(rows[1].feed_forward_s, 21 * unit);
    for (const trace::LayerRow& row : rows) {
        EXPECT_EQ(row.attention_wait_s, unit / 4);
        EXPECT_EQ(row.attention_wire_s, 3 * unit / 4);
        EXPECT_EQ(row.feed_forward_wait_s, unit / 4);
        EXPECT_EQ(row.feed_forward_wire_s, 3 * unit / 4);
    }
    EXPECT_EQ(rows[0].t_start_s, 20 + 3 * unit);
    EXPECT_EQ(rows[1].t_start_s, 20 + 3 * unit + 32 * unit);
}

// Blocks A0 B0 (attention of both halves), then A1 B1 (feed-forward) …; the sum of each is finished
// after the next block. So gaps are: A0 + B0, A1, B1, A2, B2, A3, B3, nothing.
TEST(Layers, OfTwoMicroBatchesHaveBothHalves) {
    const auto rows = PlantedLayers({10, 20, 21, 11, 12, 22, 23, 1}).layers(2);
    ASSERT_EQ(rows.size(), 2);
    EXPECT_EQ(rows[0].attention_s, 10 * unit);
    EXPECT_EQ(rows[0].feed_forward_s, 41 * unit);
    EXPECT_EQ(rows[1].attention_s, 23 * unit);
    EXPECT_EQ(rows[1].feed_forward_s, (22 + 23 + 1) * unit); // the last residual goes with it
    for (const trace::LayerRow& row : rows) {
        EXPECT_EQ(row.attention_wait_s + row.attention_wire_s, 2 * unit);
        EXPECT_EQ(row.feed_forward_wait_s + row.feed_forward_wire_s, 2 * unit);
    }
    // All parts are the time from the first layer's begin to the last sum's end.
    double sum = 0;
    for (const trace::LayerRow& row : rows)
        sum += row.attention_s + row.attention_wait_s + row.attention_wire_s + row.feed_forward_s +
               row.feed_forward_wait_s + row.feed_forward_wire_s;
    EXPECT_EQ(sum, (10 + 20 + 21 + 11 + 12 + 22 + 23 + 1 + 8) * unit);
}

TEST(Layers, AreNotMadeUpWhereTheCollectivesAreOthers) {
    EXPECT_TRUE(PlantedLayers({10, 20, 11}).layers(2).empty());
    EXPECT_TRUE(PlantedLayers({10, 20, 11, 12, 13, 14}).layers(1).empty());
    EXPECT_TRUE(PlantedLayers({10, 20}).layers(0).empty());
    PlantedLayers not_noted({10, 20});
    not_noted.rank().heads[0].layers_begin_s = trace::missing_number;
    EXPECT_TRUE(not_noted.layers(1).empty());
}

} // namespace
} // namespace pillar::recording
