// Splits by weights: nothing is lost or owned twice, whatever the weights; and the rules by which
// auto chooses them, with planted speeds and memories.

#include "pillar/partition/partition.hpp"
#include "pillar/partition/uneven.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iosfwd>
#include <numeric>

namespace pillar::partition {

void PrintTo(const Range& range, std::ostream* out); // partition_test.cpp

namespace {

using testing::DoubleNear;
using testing::ElementsAre;
using testing::IsEmpty;

const std::vector<std::vector<double>>& weights_of_all_kinds() {
    static const std::vector<std::vector<double>> all = {{1},
                                                         {1, 1},
                                                         {0.3, 0.7},
                                                         {0.7, 0.3},
                                                         {1e-9, 1},
                                                         {1, 1e-9},
                                                         {0, 1},
                                                         {1, 0},
                                                         {0.34, 0.66},
                                                         {1, 2, 3},
                                                         {0.2, 0, 0.8},
                                                         {0.001, 0.001, 0.998},
                                                         {5, 1, 1, 1},
                                                         {1, 1, 1, 1e6},
                                                         {1e300, 1e-300},
                                                         {0.1, 0.2, 0.3, 0.15, 0.25},
                                                         {0, 0, 0, 1, 0}};
    return all;
}

void expect_tiling(const std::vector<Range>& ranges, std::size_t end) {
    std::size_t at = 0;
    for (const Range& range : ranges) {
        EXPECT_EQ(range.begin, at);
        EXPECT_LE(range.begin, range.end);
        at = range.end;
    }
    EXPECT_EQ(at, end);
}

TEST(weighted_part, tiles_in_order_and_is_as_near_to_its_weight_as_units_allow) {
    for (const auto& weights : weights_of_all_kinds()) {
        const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
        for (const std::size_t n : {0u, 1u, 2u, 3u, 9u, 32u, 257u, 128'256u}) {
            std::vector<Range> parts;
            for (std::size_t i = 0; i < weights.size(); ++i) {
                parts.push_back(weighted_part(n, i, weights));
                const double wanted = weights[i] / sum * static_cast<double>(n);
                EXPECT_NEAR(static_cast<double>(parts.back().size()), wanted, 1.0);
            }
            expect_tiling(parts, n);
        }
    }
}

TEST(weighted_part, rounds_its_borders_to_the_nearest_unit) {
    const std::vector<double> weights = {0.3, 0.7};
    EXPECT_EQ(weighted_part(32, 0, weights), (Range{0, 10}));                 // 9.6
    EXPECT_EQ(weighted_part(9, 1, weights), (Range{3, 9}));                   // 2.7
    EXPECT_EQ(weighted_part(1, 0, weights), (Range{0, 0}));                   // 0.3
    EXPECT_EQ(weighted_part(3, 1, std::vector<double>{1, 1}), (Range{2, 3})); // 1.5: up
}

TEST(share_of, tiles_every_kind_of_unit_with_a_slice_a_rank) {
    const std::vector<Sizes> sizes = {{32, 8, 64, 8192, 128'256},
                                      {9, 3, 64, 1536, 49'152},
                                      {3, 1, 16, 31, 5},
                                      {1, 1, 8, 1, 1},
                                      {7, 1, 16, 100, 259}};
    for (const Sizes& s : sizes)
        for (const auto& weights : weights_of_all_kinds()) {
            const int n_ranks = static_cast<int>(weights.size());
            std::vector<Range> heads, hidden, vocabulary;
            for (int r = 0; r < n_ranks; ++r) {
                const Share share = share_of(s, r, n_ranks, weights);
                EXPECT_EQ(share.n_slices, n_ranks);
                EXPECT_EQ(share.slices.size(), 1u);
                EXPECT_THAT(share.slice_heads, ElementsAre(share.heads));
                EXPECT_THAT(share.slice_hidden, ElementsAre(share.hidden));
                EXPECT_THAT(share.slice_vocabulary, ElementsAre(share.vocabulary));
                EXPECT_EQ(share.kv_heads, kv_heads_of(s, share.heads));
                EXPECT_EQ(share.weights, weights);
                EXPECT_TRUE(share.hidden.end % feed_forward_unit == 0 ||
                            share.hidden.end == s.hidden_dim);
                for (int other = 0; other < n_ranks; ++other)
                    EXPECT_EQ(vocabulary_of(s, share, other),
                              share_of(s, other, n_ranks, weights).vocabulary);
                heads.push_back(share.heads);
                hidden.push_back(share.hidden);
                vocabulary.push_back(share.vocabulary);
            }
            expect_tiling(heads, s.n_heads);
            expect_tiling(hidden, s.hidden_dim);
            expect_tiling(vocabulary, s.vocab_size);
        }
}

TEST(share_of, without_weights_is_the_even_split) {
    const Sizes sizes{9, 3, 64, 1536, 49'152};
    for (const int n_ranks : {1, 2, 3, 8})
        for (int r = 0; r < n_ranks; ++r) {
            const Share even = even_share(sizes, r, n_ranks),
                        share = share_of(sizes, r, n_ranks, {});
            EXPECT_EQ(share.slice_heads, even.slice_heads);
            EXPECT_EQ(share.slice_hidden, even.slice_hidden);
            EXPECT_EQ(share.n_slices, n_slices_for(n_ranks));
            for (int other = 0; other < n_ranks; ++other)
                EXPECT_EQ(vocabulary_of(sizes, share, other),
                          even_share(sizes, other, n_ranks).vocabulary);
        }
}

TEST(share_of, leaves_a_rank_with_nothing_where_its_weight_is_too_small) {
    const Share share = share_of({4, 2, 8, 96, 300}, 0, 2, std::vector<double>{1, 1000});
    EXPECT_TRUE(share.heads.empty());
    EXPECT_TRUE(share.kv_heads.empty());
    EXPECT_TRUE(share.hidden.empty());
    EXPECT_TRUE(share.vocabulary.empty());
}

TEST(speeds_differ, begins_above_ten_percent) {
    EXPECT_FALSE(speeds_differ(std::vector<double>{5}));
    EXPECT_FALSE(speeds_differ(std::vector<double>{100, 109}));
    EXPECT_TRUE(speeds_differ(std::vector<double>{100, 111}));
    EXPECT_TRUE(speeds_differ(std::vector<double>{111, 105, 100}));
}

TEST(fill, is_in_proportion_below_the_caps) {
    EXPECT_THAT(fill(std::vector<double>{1, 3}, std::vector<double>{1, 1}),
                ElementsAre(0.25, 0.75));
    EXPECT_THAT(fill(std::vector<double>{1, 3}, std::vector<double>{1, 0.6}),
                ElementsAre(DoubleNear(0.4, 1e-12), 0.6));
}

TEST(fill, deals_what_a_full_rank_leaves_in_proportion_and_may_fill_another_by_that) {
    // 4 : 2 : 1 : 1; the first is full at 0.1, so the second would have 0.45 and is full at 0.3.
    const auto shares = fill(std::vector<double>{4, 2, 1, 1}, std::vector<double>{0.1, 0.3, 1, 1});
    EXPECT_THAT(shares, ElementsAre(0.1, 0.3, DoubleNear(0.3, 1e-12), DoubleNear(0.3, 1e-12)));
}

TEST(fill, is_nothing_when_the_caps_hold_less_than_the_whole) {
    EXPECT_THAT(fill(std::vector<double>{1, 1}, std::vector<double>{0.4, 0.5}), IsEmpty());
    EXPECT_THAT(fill(std::vector<double>{1, 1}, std::vector<double>{0.5, 0.5}),
                ElementsAre(0.5, 0.5));
}

/// A model of `growing` bytes in 100 equal units, with `fixed` bytes on every rank.
struct PlantedModel {
    std::uint64_t fixed = 10;
    std::uint64_t growing = 1000;
    Need operator()(int rank, std::span<const double> weights) const {
        const std::vector<double> even(n_ranks, 1.0);
        const Range own = weighted_part(100, static_cast<std::size_t>(rank),
                                        weights.empty() ? std::span<const double>(even) : weights);
        return {fixed, growing / 100 * own.size()};
    }
    std::size_t n_ranks;
};

Assignment assign(const std::vector<double>& speeds, const std::vector<std::uint64_t>& available,
                  std::uint64_t fixed = 10) {
    const PlantedModel model{fixed, 1000, speeds.size()};
    return assign_by_speed(speeds, available, model);
}

constexpr std::uint64_t plenty = 1'000'000;

TEST(assign_by_speed, is_even_within_ten_percent) {
    const Assignment assignment = assign({100, 105}, {plenty, plenty});
    EXPECT_THAT(assignment.weights, IsEmpty());
    EXPECT_TRUE(assignment.speeds_are_equal);
}

TEST(assign_by_speed, is_in_proportion_beyond_in_thousandths) {
    const Assignment assignment = assign({3.1e9, 6.2e9}, {plenty, plenty});
    EXPECT_THAT(assignment.weights, ElementsAre(0.333, 0.667));
    EXPECT_THAT(assignment.full, IsEmpty());
    EXPECT_THAT(assign({1, 2, 1}, {plenty, plenty, plenty}).weights, ElementsAre(0.25, 0.5, 0.25));
}

TEST(assign_by_speed, of_one_rank_is_even) {
    EXPECT_THAT(assign({7}, {plenty}).weights, IsEmpty());
    EXPECT_THAT(assign({7}, {1}).weights, IsEmpty()); // the memory check will refuse it
}

TEST(assign_by_speed, gives_a_small_node_what_fits_and_the_rest_to_the_others) {
    const std::vector<std::uint64_t> available = {plenty, 310};
    const Assignment assignment = assign({1, 3}, available); // 0.75 would be 760 bytes
    ASSERT_EQ(assignment.weights.size(), 2u);
    EXPECT_NEAR(assignment.weights[1], 0.3, 0.02);
    EXPECT_THAT(assignment.full, ElementsAre(1));
    const PlantedModel model{10, 1000, 2};
    for (int r = 0; r < 2; ++r) {
        const Need need = model(r, assignment.weights);
        EXPECT_LE(need.fixed + need.growing, available[static_cast<std::size_t>(r)]);
    }
}

TEST(assign_by_speed, always_fits_where_it_assigns_among_small_nodes) {
    for (std::uint64_t small = 60; small < 700; small += 7) {
        const std::vector<double> speeds = {4, 2, 1};
        const std::vector<std::uint64_t> available = {small, 500, 480};
        const Assignment assignment = assign(speeds, available);
        ASSERT_EQ(assignment.weights.size(), 3u);
        const PlantedModel model{10, 1000, 3};
        bool all_fit = true;
        for (int r = 0; r < 3; ++r) {
            const Need need = model(r, assignment.weights);
            all_fit &= need.fixed + need.growing <= available[static_cast<std::size_t>(r)];
        }
        // Caps in whole units: 3 ranks may waste a unit each.
        if (small - 10 + 490 + 470 >= 1000 + 30) {
            EXPECT_TRUE(all_fit) << small;
        }
        if (!all_fit) {
            EXPECT_THAT(assignment.weights, ElementsAre(0.571, 0.286, 0.143)) << small;
        }
    }
}

TEST(assign_by_speed, makes_equal_nodes_uneven_only_where_the_even_split_does_not_fit) {
    EXPECT_THAT(assign({1, 1}, {510, 510}).weights, IsEmpty());
    const Assignment assignment = assign({1, 1}, {plenty, 310});
    EXPECT_TRUE(assignment.speeds_are_equal);
    ASSERT_EQ(assignment.weights.size(), 2u);
    EXPECT_NEAR(assignment.weights[1], 0.3, 0.02);
}

TEST(assign_by_speed, goes_by_speed_where_nothing_fits) {
    EXPECT_THAT(assign({1, 3}, {100, 100}).weights, ElementsAre(0.25, 0.75));
    EXPECT_THAT(assign({1, 1}, {100, 100}).weights, IsEmpty());
    EXPECT_THAT(assign({1, 3}, {5, 5}).weights,
                ElementsAre(0.25, 0.75)); // less than the fixed part
}

TEST(assign_by_speed, leaves_a_node_without_room_empty) {
    const std::vector<double> weights = assign({1, 3}, {plenty, 12}).weights;
    ASSERT_EQ(weights.size(), 2u);
    EXPECT_TRUE(weighted_part(100, 1, weights).empty());
    // Less than the fixed part: nothing that it could own helps.
    EXPECT_THAT(assign({1, 3}, {plenty, 5}).weights, ElementsAre(0.25, 0.75));
}

} // namespace
} // namespace pillar::partition
