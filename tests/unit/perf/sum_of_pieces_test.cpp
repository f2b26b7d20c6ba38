// Against adding up every single one.

#include "pillar/perf/sum_of_pieces.hpp"

#include <algorithm>
#include <gtest/gtest.h>

namespace pillar::perf {
namespace {

/// A bend at two places, as where attention's arithmetic and then hidden messages begin to count.
StepTime bent(std::size_t i) {
    const auto x = static_cast<double>(i);
    StepTime time;
    time.matrices_s = 0.25;
    time.attention_s = std::max(1e-6 * x, 4e-6 * x - 3.1e-3);
    time.latency_s = std::max(0.0, 1.0 - 1e-4 * x);
    return time;
}

TEST(sum_of_pieces, is_the_sum) {
    for (const std::size_t n : {0u, 1u, 7u, 256u, 257u, 1031u, 1034u, 5000u, 10'000u, 123'457u}) {
        StepTime all;
        for (std::size_t i = 0; i < n; ++i) all += bent(i);
        const StepTime sum = sum_of_pieces(n, [](std::size_t i) { return bent(i); });
        EXPECT_NEAR(sum.matrices_s, all.matrices_s, 1e-9 * all.matrices_s) << n;
        EXPECT_NEAR(sum.attention_s, all.attention_s, 1e-7 * all.attention_s) << n;
        EXPECT_NEAR(sum.latency_s, all.latency_s, 1e-7 * all.latency_s) << n;
    }
}

TEST(sum_of_pieces, asks_for_few_of_very_many) {
    std::size_t n_asked = 0;
    const auto counted = [&](std::size_t i) {
        ++n_asked;
        return bent(i);
    };
    const StepTime sum = sum_of_pieces(2'147'483'647, counted);
    EXPECT_GT(sum.attention_s, 1e12);
    EXPECT_LT(n_asked, 2000u);
}

} // namespace
} // namespace pillar::perf
