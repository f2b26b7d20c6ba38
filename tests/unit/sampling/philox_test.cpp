// The generator against the known answers published with it (Random123, kat_vectors).

#include "pillar/sampling/philox.hpp"

#include "pillar/sampling/sampling.hpp"

#include <cmath>
#include <gtest/gtest.h>
#include <set>

namespace pillar::sampling {
namespace {

using Words = std::array<std::uint32_t, 4>;

TEST(philox, gives_the_published_answers) {
    EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}),
              (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
    constexpr std::uint32_t ones = 0xffffffff;
    EXPECT_EQ(philox4x32({ones, ones, ones, ones}, {ones, ones}),
              (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
    EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, // digits of π
                         {0xa4093822, 0x299f31d0}),
              (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(uniform, is_the_first_64_bits_cut_to_53) {
    // words 0x6627e8d5, 0xe169c58d of counter 0 and key 0
    EXPECT_EQ(uniform(0, 0, 0), std::ldexp(static_cast<double>(0xe169c58d6627e8d5ull >> 11), -53));
}

TEST(uniform, lies_in_zero_to_one_with_the_moments_of_the_distribution) {
    double sum = 0;
    double squares = 0;
    constexpr int n = 100000;
    for (int i = 0; i < n; ++i) {
        const double u = uniform(42, 7, static_cast<std::uint64_t>(i));
        ASSERT_GE(u, 0.0);
        ASSERT_LT(u, 1.0);
        sum += u;
        squares += u * u;
    }
    EXPECT_NEAR(sum / n, 1.0 / 2, 4 * std::sqrt(1.0 / 12 / n));
    EXPECT_NEAR(squares / n, 1.0 / 3, 4 * std::sqrt(4.0 / 45 / n));
}

TEST(uniform, differs_in_every_bit_of_seed_sequence_and_position) {
    std::set<double> seen = {uniform(0, 0, 0)};
    for (int bit = 0; bit < 64; ++bit) {
        seen.insert(uniform(1ull << bit, 0, 0));
        seen.insert(uniform(0, 1ull << bit, 0));
        seen.insert(uniform(0, 0, 1ull << bit));
    }
    EXPECT_EQ(seen.size(), 193u);
}

} // namespace
} // namespace pillar::sampling
