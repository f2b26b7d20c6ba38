// Norm, rotation, gate and residual against doubles, and bit for bit against the plain family.

#include "all_families.hpp"
#include "bits.hpp"
#include "support/kernels/random_rows.hpp"

#include <cmath>
#include <limits>
#include <numbers>

namespace pillar::kernels {
namespace {

constexpr std::size_t sizes[] = {1, 2, 3, 15, 16, 17, 31, 32, 33, 64, 80, 100, 576, 1000};
constexpr float eps = 1e-5f;

std::vector<float> values(std::size_t n, std::uint64_t seed) {
    support::Random random(seed);
    std::vector<float> x(n);
    for (float& v : x) v = 3.0f * random.unit();
    return x;
}

using Vectors = EachFamily;

TEST_P(Vectors, rms_norm_is_close_to_doubles_and_has_the_plain_bits) {
    for (const std::size_t n : sizes) {
        const std::vector<float> x = values(n, n);
        const std::vector<float> weight = values(n, n + 1);
        double sum = 0;
        for (const float v : x) sum += static_cast<double>(v) * v;
        std::vector<double> exact(n);
        for (std::size_t i = 0; i < n; ++i)
            exact[i] = x[i] / std::sqrt(sum / static_cast<double>(n) + eps) * weight[i];
        std::vector<float> out(n), plain(n), in_place = x;
        family_.rms_norm(x.data(), weight.data(), n, eps, out.data());
        EXPECT_LE(nmse(out, exact), 1e-12) << n;
        find_family("integer")->rms_norm(x.data(), weight.data(), n, eps, plain.data());
        EXPECT_TRUE(same_bits(out, plain)) << n;
        family_.rms_norm(in_place.data(), weight.data(), n, eps, in_place.data());
        EXPECT_TRUE(same_bits(in_place, plain)) << n << " in place";
    }
}

TEST_P(Vectors, rms_norm_sums_in_16_lanes_and_a_tree) {
    // 2^24 in lane 3 swallows a lone 1 in the same lane but not 2 + 2 from others
    std::vector<float> x(64, 0.0f);
    x[3] = 4096.0f, x[19] = 1.0f, x[4] = 1.0f, x[12] = 1.0f;
    const std::vector<float> weight(64, 1.0f);
    std::vector<float> out(64);
    family_.rms_norm(x.data(), weight.data(), 64, 0.0f, out.data());
    const float sum = 16777216.0f + 2.0f; // lane 3 stays 2^24; lanes 4 and 12 meet first
    EXPECT_EQ(out[3], 4096.0f * (1.0f / std::sqrt(sum / 64.0f)));
}

/// The terms are whole numbers: whatever the order, their sum is one f32 as long as no lane rounds.
TEST_P(Vectors, sum_of_squares_is_that_of_rms_norm) {
    for (const std::size_t n : sizes) {
        std::vector<float> whole(n);
        double exact = 0;
        for (std::size_t i = 0; i < n; ++i) {
            whole[i] = static_cast<float>(i % 13) - 6;
            exact += static_cast<double>(whole[i]) * whole[i];
        }
        EXPECT_EQ(family_.sum_of_squares(whole.data(), n), static_cast<float>(exact)) << n;
        const std::vector<float> x = values(n, n), ones(n, 1.0f);
        std::vector<float> out(n);
        family_.rms_norm(x.data(), ones.data(), n, eps, out.data());
        const float mean = family_.sum_of_squares(x.data(), n) / static_cast<float>(n);
        EXPECT_EQ(out[0], x[0] * (1.0f / std::sqrt(mean + eps))) << n;
    }
}

TEST_P(Vectors, rope_rotates_pairs_and_leaves_the_rest) {
    for (const std::size_t n_pairs : {1u, 2u, 7u, 8u, 16u, 32u, 33u, 40u}) {
        std::vector<float> head = values(2 * n_pairs + 6, n_pairs);
        const std::vector<float> before = head;
        std::vector<float> cosine(n_pairs), sine(n_pairs);
        std::vector<double> exact;
        for (std::size_t i = 0; i < n_pairs; ++i) {
            const double angle = 0.37 * static_cast<double>(i + 1);
            cosine[i] = static_cast<float>(std::cos(angle));
            sine[i] = static_cast<float>(std::sin(angle));
            const double a = head[2 * i];
            const double b = head[2 * i + 1];
            exact.push_back(a * cosine[i] - b * sine[i]);
            exact.push_back(a * sine[i] + b * cosine[i]);
        }
        std::vector<float> plain = head;
        family_.rope(head.data(), cosine.data(), sine.data(), n_pairs);
        find_family("integer")->rope(plain.data(), cosine.data(), sine.data(), n_pairs);
        EXPECT_TRUE(same_bits(head, plain)) << n_pairs;
        EXPECT_LE(nmse(std::span(head).first(2 * n_pairs), exact), 1e-12) << n_pairs;
        EXPECT_TRUE(same_bits(std::span(head).subspan(2 * n_pairs),
                              std::span(before).subspan(2 * n_pairs)));
    }
}

TEST_P(Vectors, swiglu_is_close_to_doubles_and_has_the_plain_bits) {
    for (const std::size_t n : sizes) {
        std::vector<float> gate = values(n, n + 2);
        const std::vector<float> up = values(n, n + 3);
        if (n > 30) gate[7] = 120.0f, gate[8] = -120.0f, gate[9] = -88.0f, gate[10] = -0.0f;
        std::vector<double> exact(n);
        for (std::size_t i = 0; i < n; ++i)
            exact[i] = gate[i] / (1.0 + std::exp(-static_cast<double>(gate[i]))) * up[i];
        std::vector<float> out(n), plain(n);
        family_.swiglu(gate.data(), up.data(), n, out.data());
        find_family("integer")->swiglu(gate.data(), up.data(), n, plain.data());
        EXPECT_TRUE(same_bits(out, plain)) << n;
        EXPECT_LE(nmse(out, exact), 1e-12) << n;
        family_.swiglu(gate.data(), up.data(), n, gate.data());
        EXPECT_TRUE(same_bits(gate, plain)) << n << " in place";
    }
}

TEST_P(Vectors, swiglu_keeps_nan_and_saturates_without_one) {
    const float infinity = std::numeric_limits<float>::infinity();
    std::vector<float> gate(20, std::numeric_limits<float>::quiet_NaN());
    gate[1] = infinity, gate[2] = -200.0f;
    const std::vector<float> up(20, 2.0f);
    std::vector<float> out(20);
    family_.swiglu(gate.data(), up.data(), 20, out.data());
    EXPECT_EQ(out[1], infinity);
    EXPECT_EQ(out[2], -0.0f);
    for (const std::size_t i : {0u, 3u, 19u}) EXPECT_TRUE(std::isnan(out[i])) << i;
}

TEST_P(Vectors, geglu_is_close_to_doubles_and_has_the_plain_bits) {
    for (const std::size_t n : sizes) {
        std::vector<float> gate = values(n, n + 6);
        const std::vector<float> up = values(n, n + 7);
        if (n > 30) gate[7] = 120.0f, gate[8] = -120.0f, gate[9] = -9.0f, gate[10] = -0.0f;
        std::vector<double> exact(n);
        for (std::size_t i = 0; i < n; ++i) {
            const double x = gate[i];
            const double u = std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x);
            exact[i] = x * (1 + std::tanh(u)) / 2 * up[i];
        }
        std::vector<float> out(n), plain(n);
        family_.geglu(gate.data(), up.data(), n, out.data());
        find_family("integer")->geglu(gate.data(), up.data(), n, plain.data());
        EXPECT_TRUE(same_bits(out, plain)) << n;
        EXPECT_LE(nmse(out, exact), 1e-12) << n;
        family_.geglu(gate.data(), up.data(), n, gate.data());
        EXPECT_TRUE(same_bits(gate, plain)) << n << " in place";
    }
}

TEST_P(Vectors, geglu_keeps_nan_and_saturates_without_one) {
    const float infinity = std::numeric_limits<float>::infinity();
    std::vector<float> gate(20, std::numeric_limits<float>::quiet_NaN());
    gate[1] = infinity, gate[2] = -200.0f, gate[4] = 1e30f, gate[5] = -1e30f;
    const std::vector<float> up(20, 2.0f);
    std::vector<float> out(20);
    family_.geglu(gate.data(), up.data(), 20, out.data());
    EXPECT_EQ(out[1], infinity);
    EXPECT_EQ(out[2], -0.0f);
    EXPECT_EQ(out[4], 2e30f);
    EXPECT_EQ(out[5], -0.0f);
    for (const std::size_t i : {0u, 3u, 19u}) EXPECT_TRUE(std::isnan(out[i])) << i;
}

TEST_P(Vectors, soft_cap_is_close_to_doubles_and_has_the_plain_bits) {
    for (const std::size_t n : sizes)
        for (const float cap : {30.0f, 50.0f, 1.5f}) {
            std::vector<float> x = values(n, n + 8);
            for (float& v : x) v *= 20.0f;
            std::vector<float> plain = x;
            std::vector<double> exact(n);
            for (std::size_t i = 0; i < n; ++i)
                exact[i] = cap * std::tanh(static_cast<double>(x[i]) / cap);
            family_.soft_cap(x.data(), n, cap);
            find_family("integer")->soft_cap(plain.data(), n, cap);
            EXPECT_TRUE(same_bits(x, plain)) << n;
            EXPECT_LE(nmse(x, exact), 1e-12) << n;
        }
}

TEST_P(Vectors, soft_cap_keeps_nan_and_takes_infinities_to_the_cap) {
    const float infinity = std::numeric_limits<float>::infinity();
    std::vector<float> x(20, std::numeric_limits<float>::quiet_NaN());
    x[1] = infinity, x[2] = -infinity, x[4] = 1e30f, x[5] = -1e30f, x[6] = 0.0f;
    family_.soft_cap(x.data(), 20, 30.0f);
    for (const std::size_t i : {1u, 4u}) EXPECT_EQ(x[i], 30.0f);
    for (const std::size_t i : {2u, 5u}) EXPECT_EQ(x[i], -30.0f);
    EXPECT_EQ(x[6], 0.0f);
    for (const std::size_t i : {0u, 3u, 19u}) EXPECT_TRUE(std::isnan(x[i])) << i;
}

TEST_P(Vectors, add_rounds_each_sum_once) {
    for (const std::size_t n : sizes) {
        std::vector<float> x = values(n, n + 4);
        const std::vector<float> y = values(n, n + 5);
        std::vector<float> expected(n);
        for (std::size_t i = 0; i < n; ++i) // the sum of two f32 is exact enough in f64
            expected[i] = static_cast<float>(static_cast<double>(x[i]) + y[i]);
        family_.add(x.data(), y.data(), n);
        EXPECT_TRUE(same_bits(x, expected)) << n;
    }
}

TEST_P(Vectors, add_scaled_rounds_product_and_sum_together) {
    for (const std::size_t n : sizes) {
        std::vector<float> x = values(n, n + 6);
        const std::vector<float> y = values(n, n + 7);
        constexpr float factor = 0.3f;
        std::vector<float> expected(n);
        for (std::size_t i = 0; i < n; ++i) expected[i] = std::fma(factor, y[i], x[i]);
        family_.add_scaled(x.data(), y.data(), factor, n);
        EXPECT_TRUE(same_bits(x, expected)) << n;
    }
}

INSTANTIATE_TEST_SUITE_P(Families, Vectors, testing::ValuesIn(usable_families()), family_name);

} // namespace
} // namespace pillar::kernels
