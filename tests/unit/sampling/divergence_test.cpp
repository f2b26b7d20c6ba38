// Kullback–Leibler divergence of rows of logits.

#include "pillar/sampling/divergence.hpp"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <random>
#include <vector>

namespace pillar::sampling {
namespace {

constexpr float below_all = -std::numeric_limits<float>::infinity();

std::vector<float> logs(std::initializer_list<double> probabilities) {
    std::vector<float> logits;
    for (const double p : probabilities) logits.push_back(static_cast<float>(std::log(p)));
    return logits;
}

double divergence(const std::vector<float>& p, const std::vector<float>& q) {
    return kl_divergence(p, log_of(log_sum(p)), q, log_of(log_sum(q)));
}

TEST(KlDivergence, OfTwoCoins) {
    // ½ ln(½ / ¼) + ½ ln(½ / ¾) = ½ ln(4 / 3)
    EXPECT_NEAR(divergence(logs({0.5, 0.5}), logs({0.25, 0.75})), 0.5 * std::log(4.0 / 3.0), 1e-7);
    // ¼ ln(¼ / ½) + ¾ ln(¾ / ½)
    EXPECT_NEAR(divergence(logs({0.25, 0.75}), logs({0.5, 0.5})),
                0.25 * std::log(0.5) + 0.75 * std::log(1.5), 1e-7);
}

TEST(KlDivergence, IsNothingOfARowWithItselfAndOfOneThatIsShifted) {
    std::mt19937 generator(3);
    std::normal_distribution<float> normal(2, 4);
    for (const std::size_t n : {1u, 15u, 16u, 257u, 4099u}) {
        std::vector<float> row(n);
        for (float& logit : row) logit = normal(generator);
        EXPECT_EQ(divergence(row, row), 0.0) << n;
        std::vector<float> shifted = row;
        for (float& logit : shifted) logit += 3;
        EXPECT_NEAR(divergence(row, shifted), 0.0, 1e-6) << n;
    }
}

TEST(KlDivergence, EveryPlaceOfALongRowCounts) {
    for (const std::size_t at : {0u, 15u, 16u, 255u, 256u, 999u}) {
        std::vector<float> p(1000, below_all), q(1000, 0.0f);
        p[at] = 5;
        EXPECT_NEAR(divergence(p, q), std::log(1000.0), 1e-12) << at;
    }
}

TEST(KlDivergence, WhatIsImpossible) {
    EXPECT_EQ(divergence({0, below_all}, {0, below_all}), 0.0);
    EXPECT_EQ(divergence({0, 0}, {0, below_all}), std::numeric_limits<double>::infinity());
}

TEST(BestIndex, IsTheFirstOfTheLargest) {
    EXPECT_EQ(best_index(std::vector<float>{1, 3, 3, 2}), 1u);
    EXPECT_EQ(best_index(std::vector<float>{std::numeric_limits<float>::quiet_NaN(), -7}), 1u);
    EXPECT_EQ(best_index(std::vector<float>{below_all, below_all}), 0u);
}

} // namespace
} // namespace pillar::sampling
