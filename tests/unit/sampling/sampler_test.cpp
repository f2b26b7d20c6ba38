// The chain top-k → top-p → min-p → temperature → draw against cases worked by hand and plain
// double-precision code.

#include "pillar/sampling/sampling.hpp"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <random>

namespace pillar::sampling {
namespace {

/// A chain in which everything is off.
Parameters plain() {
    return {.temperature = 1, .top_k = 0, .top_p = 1, .min_p = 0};
}

/// Candidates with these probabilities, best first (the probabilities are given so).
std::vector<Candidate> with_probabilities(const std::vector<double>& probabilities) {
    std::vector<Candidate> sorted;
    for (const double p : probabilities)
        sorted.push_back({static_cast<TokenId>(sorted.size()), static_cast<float>(std::log(p))});
    return sorted;
}

void expect_distribution(const Parameters& parameters, const std::vector<Candidate>& sorted,
                         const std::vector<double>& expected) {
    Sampler sampler(parameters, sorted.size());
    const auto result = sampler.distribution(sorted);
    ASSERT_EQ(result.size(), expected.size());
    double sum = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_NEAR(result[i], expected[i], 1e-6) << i;
        sum += result[i];
    }
    EXPECT_NEAR(sum, 1.0, 1e-12);
}

const std::vector<double> four = {0.4, 0.3, 0.2, 0.1};

Parameters with(auto change) {
    Parameters p = plain();
    change(p);
    return p;
}

TEST(sampler, temperature_divides_the_logits) {
    const auto at = [](float t) { return with([&](auto& p) { p.temperature = t; }); };
    expect_distribution(at(1.0f), with_probabilities(four), four);
    // p² : 0.16 0.09 0.04 0.01 of 0.30
    expect_distribution(at(0.5f), with_probabilities(four),
                        {0.16 / 0.3, 0.09 / 0.3, 0.04 / 0.3, 0.01 / 0.3});
    expect_distribution(at(0.0f), with_probabilities(four), {1.0});
    expect_distribution(at(-1.0f), with_probabilities(four), {1.0});
    expect_distribution(at(1e-30f), with_probabilities(four), {1, 0, 0, 0});
}

TEST(sampler, top_k_keeps_the_best_k) {
    const auto k = [](int n) { return with([&](auto& p) { p.top_k = n; }); };
    expect_distribution(k(1), with_probabilities(four), {1.0});
    expect_distribution(k(3), with_probabilities(four), {0.4 / 0.9, 0.3 / 0.9, 0.2 / 0.9});
    expect_distribution(k(4), with_probabilities(four), four);
    expect_distribution(k(99), with_probabilities(four), four);
    expect_distribution(k(0), with_probabilities(four), four);
    expect_distribution(k(-7), with_probabilities(four), four);
}

TEST(sampler, top_p_keeps_the_smallest_head_that_holds_p) {
    const auto share = [](float x) { return with([&](auto& p) { p.top_p = x; }); };
    expect_distribution(share(0.0f), with_probabilities(four), {1.0});
    expect_distribution(share(0.39f), with_probabilities(four), {1.0});
    expect_distribution(share(0.65f), with_probabilities(four), {0.4 / 0.7, 0.3 / 0.7});
    expect_distribution(share(0.75f), with_probabilities(four), {0.4 / 0.9, 0.3 / 0.9, 0.2 / 0.9});
    expect_distribution(share(0.95f), with_probabilities(four), four);
    expect_distribution(share(1.0f), with_probabilities(four), four);
}

TEST(sampler, min_p_drops_what_is_below_a_share_of_the_best) {
    const auto share = [](float x) { return with([&](auto& p) { p.min_p = x; }); };
    expect_distribution(share(0.0f), with_probabilities(four), four);
    expect_distribution(share(0.24f), with_probabilities(four), four);
    expect_distribution(share(0.26f), with_probabilities(four), {0.4 / 0.9, 0.3 / 0.9, 0.2 / 0.9});
    expect_distribution(share(0.51f), with_probabilities(four), {0.4 / 0.7, 0.3 / 0.7});
    expect_distribution(share(0.76f), with_probabilities(four), {1.0});
    expect_distribution(share(1.0f), with_probabilities(four), {1.0});
}

TEST(sampler, cuts_before_it_tempers) {
    Parameters p = plain();
    p.top_p = 0.65f; // two at temperature 1; at 3 it would be three
    p.temperature = 3.0f;
    const double a = std::cbrt(0.4);
    const double b = std::cbrt(0.3);
    expect_distribution(p, with_probabilities(four), {a / (a + b), b / (a + b)});
}

TEST(sampler, takes_top_p_of_what_top_k_left) {
    Parameters p = plain();
    p.top_k = 2;    // 0.571, 0.429
    p.top_p = 0.5f; // one of them; of all four it would be two
    expect_distribution(p, with_probabilities(four), {1.0});
}

/// The chain once more, in the plainest way.
std::vector<double> plain_chain(const Parameters& p, const std::vector<Candidate>& sorted) {
    std::vector<double> x;
    for (const auto& candidate : sorted) x.push_back(candidate.logit);
    const auto softmax = [](std::vector<double> values) {
        double total = 0;
        const double max = values.front();
        for (double& v : values) total += v = std::exp(v - max);
        for (double& v : values) v /= total;
        return values;
    };
    if (p.top_k > 0 && x.size() > static_cast<std::size_t>(p.top_k))
        x.resize(static_cast<std::size_t>(p.top_k));
    if (p.top_p < 1) {
        const auto probabilities = softmax(x);
        double sum = 0;
        std::size_t n = 0;
        while (n < x.size() && sum < static_cast<double>(p.top_p)) sum += probabilities[n++];
        x.resize(std::max<std::size_t>(n, 1));
    }
    const auto probabilities = softmax(x);
    std::size_t n = 1;
    while (n < x.size() && probabilities[n] >= static_cast<double>(p.min_p) * probabilities[0]) ++n;
    x.resize(n);
    for (double& v : x) v /= static_cast<double>(p.temperature);
    return softmax(x);
}

TEST(sampler, agrees_with_plain_code_over_random_rows_and_parameters) {
    std::mt19937 generator(23);
    std::normal_distribution<float> normal(0.0f, 3.0f);
    for (int round = 0; round < 300; ++round) {
        std::vector<Candidate> sorted(1 + generator() % 500);
        for (std::size_t i = 0; i < sorted.size(); ++i)
            sorted[i] = {static_cast<TokenId>(i), normal(generator)};
        std::sort(sorted.begin(), sorted.end(),
                  [](const auto& a, const auto& b) { return a.logit > b.logit; });
        const auto real = [&](float low, float high) {
            return std::uniform_real_distribution<float>(low, high)(generator);
        };
        const Parameters p = {.temperature = real(0.1f, 2.0f),
                              .top_k = static_cast<std::int32_t>(generator() % 100),
                              .top_p = real(0.3f, 1.0f),
                              .min_p = real(0.0f, 0.2f)};
        Sampler sampler(p, sorted.size());
        const auto result = sampler.distribution(sorted);
        const auto expected = plain_chain(p, sorted);
        ASSERT_EQ(result.size(), expected.size());
        for (std::size_t i = 0; i < expected.size(); ++i)
            ASSERT_NEAR(result[i], expected[i], 1e-12);
    }
}

TEST(sampler, bears_infinite_logits) {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    Sampler sampler(Parameters{}, 3);
    const std::vector<Candidate> above = {{4, infinity}, {2, 1.0f}, {3, -infinity}};
    EXPECT_EQ(sampler.pick(above, 0.999), 4);
    const std::vector<Candidate> below = {{2, 1.0f}, {3, -infinity}, {5, -infinity}};
    EXPECT_EQ(sampler.pick(below, std::nextafter(1.0, 0.0)), 2);
    const std::vector<Candidate> none = {{3, -infinity}, {5, -infinity}};
    EXPECT_EQ(sampler.distribution(none).size(), 2u);
}

TEST(sampler, picks_by_the_cumulative_distribution) {
    const auto sorted = with_probabilities(four);
    Sampler sampler(plain(), 4);
    EXPECT_EQ(sampler.pick(sorted, 0.0), 0);
    EXPECT_EQ(sampler.pick(sorted, 0.399), 0);
    EXPECT_EQ(sampler.pick(sorted, 0.401), 1);
    EXPECT_EQ(sampler.pick(sorted, 0.699), 1);
    EXPECT_EQ(sampler.pick(sorted, 0.701), 2);
    EXPECT_EQ(sampler.pick(sorted, std::nextafter(1.0, 0.0)), 3);
    Sampler greedy({.temperature = 0}, 4);
    EXPECT_EQ(greedy.pick(sorted, 0.999), 0);
}

TEST(sampler, draws_follow_the_distribution) {
    std::vector<double> probabilities;
    for (int i = 0; i < 25; ++i) probabilities.push_back(std::pow(0.85, i));
    const auto sorted = with_probabilities(probabilities);
    Sampler sampler({.temperature = 0.8f, .top_k = 20, .top_p = 0.97f, .min_p = 0.01f}, 25);
    const auto span = sampler.distribution(sorted);
    const std::vector<double> expected(span.begin(), span.end());
    constexpr int n_draws = 100000;
    std::vector<int> counts(expected.size());
    for (int i = 0; i < n_draws; ++i)
        ++counts.at(static_cast<std::size_t>(
            sampler.pick(sorted, uniform(1, 2, static_cast<std::uint64_t>(i)))));
    double chi_square = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const double mean = n_draws * expected[i];
        chi_square += (counts[i] - mean) * (counts[i] - mean) / mean;
    }
    // 0.999 quantile of χ² by Wilson and Hilferty
    const double f = static_cast<double>(expected.size()) - 1;
    const double quantile = f * std::pow(1 - 2 / (9 * f) + 3.0902 * std::sqrt(2 / (9 * f)), 3);
    EXPECT_LT(chi_square, quantile) << f << " degrees of freedom";
    EXPECT_GT(f, 10);
}

TEST(SamplerDeathTest, an_empty_or_overlong_list_is_a_broken_contract) {
    Sampler sampler(Parameters{}, 2);
    EXPECT_EXIT((void)sampler.pick({}, 0.5), testing::ExitedWithCode(70), "no candidate");
    const std::vector<Candidate> three(3);
    EXPECT_EXIT((void)sampler.pick(three, 0.5), testing::ExitedWithCode(70), "more candidates");
}

} // namespace
} // namespace pillar::sampling
