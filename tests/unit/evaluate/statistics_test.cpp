// Statistics of planted scores.

#include "statistics/statistics.hpp"
#include "statistics/statistics_text.hpp"

#include <cmath>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pillar::evaluate {
namespace {

using ::testing::HasSubstr;

TEST(Sums, MeanAndStandardError) {
    Sums sums;
    EXPECT_EQ(sums.mean().value, 0);
    sums.add(2);
    EXPECT_EQ(sums.mean().value, 2);
    EXPECT_EQ(sums.mean().error, 0);
    for (const double x : {4.0, 4.0, 6.0}) sums.add(x);
    EXPECT_DOUBLE_EQ(sums.mean().value, 4);
    EXPECT_DOUBLE_EQ(sums.mean().error, std::sqrt(2.0 / 3)); // variance 2, of 4 − 1
}

TEST(Perplexity, IsTheExponentialOfTheMean) {
    Sums nll;
    for (const double p : {0.5, 0.125}) nll.add(-std::log(p));
    EXPECT_NEAR(perplexity_of(nll).value, 4, 1e-12); // the geometric mean of 2 and 8
    EXPECT_NEAR(perplexity_of(nll).error, 4 * std::log(2.0), 1e-12);
    EXPECT_EQ(running_text(3, nll), "[3]4.0000,");
    EXPECT_EQ(final_text(nll), "Final estimate: PPL = 4.0000 +/- 2.77259\n");
}

TEST(Quantile, LiesOnTheLineBetweenNeighbours) {
    const std::vector<double> sorted{0, 10, 20, 30};
    EXPECT_DOUBLE_EQ(quantile(sorted, 0), 0);
    EXPECT_DOUBLE_EQ(quantile(sorted, 0.5), 15);
    EXPECT_DOUBLE_EQ(quantile(sorted, 0.9), 27);
    EXPECT_DOUBLE_EQ(quantile(sorted, 1), 30);
    EXPECT_DOUBLE_EQ(quantile(std::vector<double>{7}, 0.99), 7);
}

TEST(ComparisonSums, OfScoresThatDifferByAConstant) {
    ComparisonSums sums;
    for (int i = 0; i < 20; ++i) {
        const double base = 1 + 0.1 * (i % 5);
        sums.add({.nll = base + 0.5,
                  .nll_base = base,
                  .kl = 0.01 * i,
                  .p_difference = i % 2 == 0 ? 0.3 : -0.3,
                  .same_best = i % 4 != 0});
    }
    EXPECT_NEAR(sums.log_ratio().value, 0.5, 1e-12);
    EXPECT_NEAR(sums.log_ratio().error, 0, 1e-7); // both rise and fall together
    EXPECT_NEAR(sums.correlation(), 1, 1e-9);
    EXPECT_NEAR(sums.same_best().value, 0.75, 1e-12);
    EXPECT_NEAR(sums.same_best().error, std::sqrt(0.75 * 0.25 / 19), 1e-12);
    EXPECT_NEAR(sums.rms_p_difference().value, 0.3, 1e-12);
    EXPECT_NEAR(sums.mean_p_difference().value, 0, 1e-12);
    EXPECT_NEAR(sums.mean_kl().value, 0.095, 1e-12);
    const std::string text = comparison_summary(sums);
    for (const char* line :
         {"Mean    KLD:   0.095000", "Maximum KLD:   0.190000", "Median  KLD:   0.095000",
          "90.0%   KLD:   0.171000", "RMS Δp    : 30.000", "Same top p: 75.000"})
        EXPECT_THAT(text, HasSubstr(line));
}

} // namespace
} // namespace pillar::evaluate
