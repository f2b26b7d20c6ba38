// Pseudo-random weights: finite, of the wanted spread, the same for the same seed.

#include "pillar/quant/synthetic.hpp"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <vector>

namespace pillar::quant {
namespace {

constexpr std::size_t n_weights = 256 * 512;

std::vector<std::byte> bytes_of(const SyntheticWeights& weights, Type type) {
    std::vector<std::byte> bytes(n_weights / info(type).block_weights * info(type).block_bytes);
    weights.fill(0, bytes);
    return bytes;
}

std::vector<float> decode(const SyntheticWeights& weights, Type type) {
    std::vector<float> values(n_weights);
    decode_row(type, bytes_of(weights, type), values);
    return values;
}

TEST(synthetic_weights, are_finite_and_have_the_wanted_spread_in_every_type) {
    for (const Type type : all_types)
        for (const double wanted : {1.0 / 16, 1.0 / 45, 1.0 / 117}) {
            const auto values = decode(SyntheticWeights(type, 7, wanted), type);
            double sum = 0, squares = 0;
            for (const float value : values) {
                ASSERT_TRUE(std::isfinite(value)) << info(type).name;
                sum += value;
                squares += static_cast<double>(value) * value;
            }
            const double deviation = std::sqrt(squares / n_weights);
            const double tolerance = is_float(type) ? 1.0 : 0.1; // float types: a factor of 2
            EXPECT_LT(deviation, wanted * (1 + tolerance)) << info(type).name << " " << wanted;
            EXPECT_GT(deviation, wanted / (1 + tolerance)) << info(type).name << " " << wanted;
            EXPECT_LT(std::fabs(sum / n_weights), 0.05 * wanted) << info(type).name;
        }
}

TEST(synthetic_weights, depend_on_the_seed_and_on_nothing_else) {
    for (const Type type : all_types) {
        const auto a = bytes_of(SyntheticWeights(type, 1, 0.02), type);
        EXPECT_EQ(bytes_of(SyntheticWeights(type, 1, 0.02), type), a);
        const auto b = bytes_of(SyntheticWeights(type, 2, 0.02), type);
        std::size_t n_equal = 0;
        for (std::size_t i = 0; i < a.size(); ++i) n_equal += a[i] == b[i] ? 1u : 0u;
        EXPECT_LT(n_equal, a.size() / 2) << info(type).name;
    }
}

TEST(synthetic_weights, do_not_repeat) {
    const auto bytes = bytes_of(SyntheticWeights(Type::q4_0, 3, 0.02), Type::q4_0);
    std::vector<std::uint64_t> nibbles;
    for (std::size_t block = 0; block * 18 < bytes.size(); ++block) {
        std::uint64_t first = 0;
        for (std::size_t i = 0; i < 8; ++i)
            first = first << 8 | std::to_integer<std::uint64_t>(bytes[block * 18 + 2 + i]);
        nibbles.push_back(first);
    }
    std::ranges::sort(nibbles);
    EXPECT_EQ(std::ranges::adjacent_find(nibbles), nibbles.end());
}

TEST(synthetic_weights, of_a_norm_lie_about_one) {
    const auto values = decode(SyntheticWeights::norm(5), Type::f32);
    const auto [low, high] = std::ranges::minmax(values);
    EXPECT_GE(low, 1.0f);
    EXPECT_LE(high, 1.25f);
    EXPECT_GT(high - low, 0.2f);
}

} // namespace
} // namespace pillar::quant
