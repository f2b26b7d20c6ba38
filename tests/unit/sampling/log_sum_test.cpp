// Σ exp of slices and their combination.

#include "pillar/sampling/sampling.hpp"

#include <bit>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <random>

namespace pillar::sampling {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

std::vector<float> random_logits(std::size_t n) {
    std::mt19937 generator(17);
    std::normal_distribution<float> normal(-3.0f, 5.0f);
    std::vector<float> logits(n);
    for (float& logit : logits) logit = normal(generator);
    return logits;
}

TEST(log_sum, is_the_sum_of_exponentials_relative_to_the_maximum) {
    for (const std::size_t n : {1u, 2u, 15u, 16u, 17u, 255u, 256u, 257u, 10007u}) {
        const auto logits = random_logits(n);
        const LogSum result = log_sum(logits);
        float max = -infinity;
        for (const float logit : logits) max = std::max(max, logit);
        long double sum = 0;
        for (const float logit : logits) sum += std::exp(static_cast<long double>(logit) - max);
        EXPECT_EQ(result.max, max);
        EXPECT_NEAR(result.sum / static_cast<double>(sum), 1.0, 1e-14) << n;
    }
}

TEST(log_sum, adds_in_sixteen_lanes_and_then_in_the_fixed_tree) {
    // exp of these differs by so much that the order of additions shows in the last bits
    std::vector<float> logits(53);
    for (std::size_t i = 0; i < logits.size(); ++i)
        logits[i] = static_cast<float>((i * 7) % 53) * -0.61f;
    double lanes[16] = {};
    for (std::size_t i = 0; i < logits.size(); ++i) // std::exp is good enough: compared below 1 ulp
        lanes[i % 16] += std::exp(static_cast<double>(logits[i]));
    for (const std::size_t width : {8u, 4u, 2u, 1u})
        for (std::size_t i = 0; i < width; ++i) lanes[i] += lanes[i + width];
    EXPECT_DOUBLE_EQ(log_sum(logits).sum, lanes[0]);
    // appended −∞ adds exactly nothing, wherever the lanes end
    const double before = log_sum(logits).sum;
    for (int i = 0; i < 300; ++i) logits.push_back(-infinity);
    EXPECT_EQ(std::bit_cast<std::uint64_t>(log_sum(logits).sum),
              std::bit_cast<std::uint64_t>(before));
}

TEST(log_sum, of_nothing_nan_and_infinities_stays_defined) {
    EXPECT_EQ(log_sum({}).max, -infinity);
    EXPECT_EQ(log_sum({}).sum, 0.0);
    EXPECT_EQ(log_sum(std::vector<float>{-infinity, nan}).sum, 0.0);
    EXPECT_EQ(log_sum(std::vector<float>{nan, 2.0f, nan}).sum, 1.0);
    EXPECT_EQ(log_sum(std::vector<float>{infinity, 2.0f}).sum, 1.0);
    EXPECT_EQ(log_sum(std::vector<float>{infinity, 2.0f}).max, infinity);
}

TEST(combine, of_slices_is_the_sum_of_the_whole) {
    const auto logits = random_logits(999);
    const LogSum whole = log_sum(logits);
    const LogSum halves =
        combine(log_sum(std::span(logits).first(321)), log_sum(std::span(logits).subspan(321)));
    EXPECT_EQ(halves.max, whole.max);
    EXPECT_NEAR(halves.sum / whole.sum, 1.0, 1e-14);
}

TEST(combine, with_an_empty_slice_changes_no_bit) {
    const LogSum some = log_sum(random_logits(100));
    const LogSum none = log_sum({});
    for (const LogSum& result : {combine(some, none), combine(none, some)}) {
        EXPECT_EQ(result.max, some.max);
        EXPECT_EQ(result.sum, some.sum);
    }
    EXPECT_EQ(combine(none, none).sum, 0.0);
    EXPECT_EQ(combine(none, none).max, -infinity);
}

} // namespace
} // namespace pillar::sampling
