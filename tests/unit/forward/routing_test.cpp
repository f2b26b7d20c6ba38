// Which experts a row goes through, and how the rows of a step are put together.

#include "experts/routing.hpp"

#include <cmath>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits>
#include <map>
#include <random>

namespace pillar::forward {
namespace {

using testing::ElementsAre;

std::vector<ChosenExpert> choose(const std::vector<float>& scores, std::size_t n) {
    std::vector<ChosenExpert> chosen(n);
    choose_experts(scores, chosen);
    return chosen;
}

std::vector<std::uint32_t> experts_of(const std::vector<ChosenExpert>& chosen) {
    std::vector<std::uint32_t> experts;
    for (const ChosenExpert& one : chosen) experts.push_back(one.expert);
    return experts;
}

TEST(choose_experts, takes_the_largest_scores_in_order_of_their_index) {
    EXPECT_THAT(experts_of(choose({0.5f, 3, -1, 2, 2.5f}, 3)), ElementsAre(1, 3, 4));
    EXPECT_THAT(experts_of(choose({5, 4, 3, 2, 1}, 2)), ElementsAre(0, 1));
    EXPECT_THAT(experts_of(choose({1, 2, 3, 4, 5}, 2)), ElementsAre(3, 4));
    EXPECT_THAT(experts_of(choose({7}, 1)), ElementsAre(0));
}

TEST(choose_experts, takes_the_lower_index_of_equal_scores) {
    EXPECT_THAT(experts_of(choose({1, 1, 1, 1}, 2)), ElementsAre(0, 1));
    EXPECT_THAT(experts_of(choose({1, 2, 1, 2, 2}, 2)), ElementsAre(1, 3));
    EXPECT_THAT(experts_of(choose({0.0f, -0.0f, 0.0f}, 1)), ElementsAre(0));
}

TEST(choose_experts, weighs_by_the_softmax_over_the_chosen) {
    std::mt19937 random(5);
    std::normal_distribution<float> normal;
    std::vector<float> scores(128);
    for (float& score : scores) score = 3 * normal(random);
    const auto chosen = choose(scores, 8);
    double sum = 0;
    for (const ChosenExpert& one : chosen) sum += std::exp(static_cast<double>(scores[one.expert]));
    for (const ChosenExpert& one : chosen)
        EXPECT_NEAR(one.weight, std::exp(static_cast<double>(scores[one.expert])) / sum, 1e-6);
}

TEST(choose_experts, lets_a_nan_be_seen) {
    constexpr float nan = std::numeric_limits<float>::quiet_NaN();
    for (const ChosenExpert& one : choose({1, 2, nan, 4}, 2)) EXPECT_TRUE(std::isnan(one.weight));
    EXPECT_THAT(experts_of(choose({nan, nan, nan}, 2)), ElementsAre(0, 1));
}

/// Choices of `n_rows` rows, at random.
std::vector<ChosenExpert> random_choices(std::size_t n_experts, std::size_t n_used,
                                         std::size_t n_rows) {
    std::mt19937 random(static_cast<unsigned>(n_rows));
    std::vector<ChosenExpert> choices(n_rows * n_used);
    for (std::size_t r = 0; r < n_rows; ++r) {
        std::vector<float> scores(n_experts);
        for (float& score : scores) score = static_cast<float>(random() % 1000);
        choose_experts(scores, std::span(choices).subspan(r * n_used, n_used));
    }
    return choices;
}

TEST(expert_groups, hold_every_row_once_for_each_of_its_experts) {
    for (const std::size_t n_rows : {1u, 2u, 50u}) {
        const auto choices = random_choices(11, 3, n_rows);
        ExpertGroups groups(11, 3, 50);
        groups.make(random_choices(11, 3, 7)); // what was there before is gone
        groups.make(choices);
        std::map<std::pair<std::size_t, std::size_t>, float> weights; // of (row, expert)
        for (std::size_t i = 0; i < choices.size(); ++i)
            weights[{i / 3, choices[i].expert}] = choices[i].weight;
        std::size_t column = 0, before = 0;
        for (const auto& group : groups.groups()) {
            EXPECT_TRUE(column == 0 || group.expert > before);
            before = group.expert;
            EXPECT_EQ(group.begin, column);
            EXPECT_GT(group.n, 0u);
            std::size_t last_row = 0;
            for (const auto& member : groups.members(group)) {
                EXPECT_GE(member.row, last_row);
                last_row = member.row;
                const auto found = weights.extract({member.row, group.expert});
                ASSERT_FALSE(found.empty());
                EXPECT_EQ(found.mapped(), member.weight);
            }
            column += group.n;
        }
        EXPECT_TRUE(weights.empty());
        EXPECT_EQ(groups.members().size(), n_rows * 3);
    }
}

TEST(expert_groups, give_every_unit_to_one_thread_and_each_thread_about_as_much) {
    for (const std::size_t n_rows : {1u, 9u, 50u})
        for (const std::size_t n_units : {0u, 1u, 3u, 24u})
            for (const int n_threads : {1, 2, 3, 4, 16}) {
                ExpertGroups groups(11, 3, 50);
                groups.make(random_choices(11, 3, n_rows));
                std::map<std::pair<std::size_t, std::size_t>, int> owners;
                std::vector<std::size_t> work(static_cast<std::size_t>(n_threads));
                std::size_t total = 0, largest = 0;
                for (int thread = 0; thread < n_threads; ++thread)
                    groups.for_each_share(
                        n_units, thread, n_threads,
                        [&](const auto& group, std::size_t first, std::size_t last) {
                            for (std::size_t u = first; u < last; ++u)
                                EXPECT_TRUE(
                                    owners.emplace(std::pair(group.expert, u), thread).second);
                            const std::size_t a_unit = 4 + group.n;
                            work[static_cast<std::size_t>(thread)] += (last - first) * a_unit;
                            total += (last - first) * a_unit;
                            largest = std::max(largest, a_unit);
                        });
                EXPECT_EQ(owners.size(), groups.groups().size() * n_units);
                for (const std::size_t mine : work)
                    EXPECT_LE(mine, total / static_cast<std::size_t>(n_threads) + largest + 1);
            }
}

} // namespace
} // namespace pillar::forward
