// Half floats against their definition, all 65536 of them and every border between two.

#include "pillar/core/half.hpp"

#include <bit>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>

namespace pillar {
namespace {

/// Value of a finite binary16 by its definition.
double f16_value(unsigned half) {
    const int exponent = static_cast<int>((half >> 10) & 0x1F);
    const int mantissa = static_cast<int>(half & 0x3FF);
    const double magnitude =
        exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
    return (half & 0x8000) != 0 ? -magnitude : magnitude;
}

TEST(f16, decodes_to_its_defined_value_and_back) {
    for (unsigned half = 0; half < 0x10000; ++half) {
        const float value = f16_to_f32(static_cast<std::uint16_t>(half));
        if ((half & 0x7C00) == 0x7C00) {
            EXPECT_EQ(std::isnan(value), (half & 0x3FF) != 0);
            EXPECT_EQ(std::isinf(value), (half & 0x3FF) == 0);
            if (!std::isnan(value)) {
                EXPECT_EQ(f32_to_f16(value), half);
            }
        } else {
            ASSERT_EQ(value, f16_value(half));
            ASSERT_EQ(std::signbit(value), (half & 0x8000) != 0);
            ASSERT_EQ(f32_to_f16(value), half);
        }
    }
}

TEST(f16, encodes_by_rounding_half_to_even_at_every_border) {
    for (unsigned half = 0; half < 0x7BFF; ++half) {
        const auto middle = static_cast<float>((f16_value(half) + f16_value(half + 1)) / 2);
        const unsigned even = (half & 1) == 0 ? half : half + 1;
        ASSERT_EQ(f32_to_f16(middle), even);
        ASSERT_EQ(f32_to_f16(std::nextafter(middle, 0.0f)), half);
        ASSERT_EQ(f32_to_f16(std::nextafter(middle, 1e6f)), half + 1);
        ASSERT_EQ(f32_to_f16(-middle), even | 0x8000);
    }
    EXPECT_EQ(f32_to_f16(65519.996f), 0x7BFF);
    EXPECT_EQ(f32_to_f16(65520.0f), 0x7C00);
    EXPECT_EQ(f32_to_f16(3e38f), 0x7C00);
    EXPECT_EQ(f32_to_f16(1e-10f), 0);
    EXPECT_EQ(f32_to_f16(std::numeric_limits<float>::denorm_min()), 0);
}

TEST(f16, keeps_the_top_of_a_nan_payload_quiet) {
    EXPECT_EQ(f32_to_f16(std::bit_cast<float>(0x7FC00000u)), 0x7E00);
    EXPECT_EQ(f32_to_f16(std::bit_cast<float>(0xFF812000u)), 0xFE09);
    EXPECT_EQ(std::bit_cast<std::uint32_t>(f16_to_f32(0x7C01)), 0x7FC02000u);
}

TEST(bf16, is_the_upper_half_of_a_float) {
    EXPECT_EQ(bf16_to_f32(0x3F80), 1.0f);
    EXPECT_EQ(bf16_to_f32(0xC049), -3.140625f);
    EXPECT_EQ(bf16_to_f32(0x0001), std::ldexp(1.0f, -133));
}

} // namespace
} // namespace pillar
