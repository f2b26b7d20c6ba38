// exp_f32 against exp_f64 over a dense sample of all 2^32 bit patterns and around its borders.

#include "pillar/core/elementary.hpp"

#include <bit>
#include <cmath>
#include <cstdint>
#include <gtest/gtest.h>
#include <limits>

namespace pillar {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

/// Error of `value` against e^x in units of the last place there, subnormal results included.
double error_ulp(float value, double exact) {
    const auto rounded = static_cast<float>(exact);
    if (std::isinf(rounded)) return value == rounded ? 0.0 : infinity;
    const double ulp = static_cast<double>(std::nextafter(rounded, infinity)) - rounded;
    return std::fabs(value - exact) / (std::isinf(ulp) ? 0x1p104 : ulp);
}

void expect_close(float x) {
    ASSERT_LT(error_ulp(exp_f32(x), exp_f64(x)), 2.0) << "x = " << x;
}

TEST(exp_f32, stays_below_two_units_in_the_last_place_over_all_floats) {
    constexpr std::uint64_t stride = 1021; // prime: visits every low bit pattern
    for (std::uint64_t bits = 0; bits < (std::uint64_t{1} << 32); bits += stride) {
        const auto x = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
        if (!std::isnan(x)) expect_close(x);
    }
}

TEST(exp_f32, holds_next_to_every_multiple_of_half_ln_2) {
    for (int k = -302; k <= 258; ++k) {
        float x = static_cast<float>(k * 0.34657359027997264);
        for (int i = 0; i < 8; ++i) x = std::nextafter(x, -infinity);
        for (int i = 0; i < 16; ++i, x = std::nextafter(x, infinity)) expect_close(x);
    }
}

TEST(exp_f32, is_one_at_zero_and_saturates) {
    EXPECT_EQ(exp_f32(0.0f), 1.0f);
    EXPECT_EQ(exp_f32(-0.0f), 1.0f);
    EXPECT_EQ(exp_f32(1e-45f), 1.0f);
    EXPECT_EQ(exp_f32(infinity), infinity);
    EXPECT_EQ(exp_f32(-infinity), 0.0f);
    EXPECT_EQ(exp_f32(88.723f), infinity);
    EXPECT_TRUE(std::isfinite(exp_f32(88.72283f)));
    EXPECT_EQ(exp_f32(-104.0f), 0.0f);
    EXPECT_TRUE(std::isnan(exp_f32(std::numeric_limits<float>::quiet_NaN())));
}

TEST(exp_f32, goes_through_the_subnormals_to_zero) {
    EXPECT_EQ(exp_f32(-103.5f), 0x1p-149f);
    EXPECT_EQ(std::fpclassify(exp_f32(-90.0f)), FP_SUBNORMAL);
    float last = exp_f32(-80.0f);
    for (float x = -80.0f; x > -105.0f; x -= 0.01f) {
        ASSERT_LE(exp_f32(x), last) << x;
        last = exp_f32(x);
    }
    EXPECT_EQ(last, 0.0f);
}

} // namespace
} // namespace pillar
