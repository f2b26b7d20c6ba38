// The wires f16 and q8 against core's half floats and against their definition, value by value.

#include "pillar/comm/wire_codec.hpp"

#include "pillar/comm/schedule.hpp"
#include "pillar/core/half.hpp"
#include "pillar/core/hash.hpp"
#include "support/random.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <gtest/gtest.h>
#include <limits>
#include <vector>

namespace pillar::comm {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

std::uint32_t bits_of(float value) {
    return std::bit_cast<std::uint32_t>(value);
}

std::vector<std::byte> encoded(Wire wire, const std::vector<float>& values) {
    std::vector<std::byte> bytes(wire_bytes(wire, values.size()) + 1, std::byte{0xA5});
    encode(wire, values, bytes.data());
    EXPECT_EQ(bytes.back(), std::byte{0xA5}) << "written past its end";
    bytes.pop_back();
    return bytes;
}

std::vector<float> decoded(Wire wire, const std::vector<std::byte>& bytes, std::size_t n) {
    std::vector<float> values(n);
    decode(wire, bytes.data(), 0, values);
    return values;
}

/// Partial sums of a layer look like this: around zero, one in a hundred far out.
std::vector<float> partial_sums(std::size_t n, std::uint64_t seed) {
    support::Random random(seed);
    std::vector<float> values(n);
    for (float& value : values) {
        value = static_cast<float>(random.centred());
        if (random.below(100) == 0) value *= 80.0F;
    }
    return values;
}

TEST(wire_bytes, of_q8_is_a_byte_a_value_and_six_a_block) {
    EXPECT_EQ(wire_bytes(Wire::f32, 33), 132u);
    EXPECT_EQ(wire_bytes(Wire::f16, 33), 66u);
    EXPECT_EQ(wire_bytes(Wire::q8, 0), 0u);
    EXPECT_EQ(wire_bytes(Wire::q8, 1), 7u);
    EXPECT_EQ(wire_bytes(Wire::q8, 32), 38u);
    EXPECT_EQ(wire_bytes(Wire::q8, 33), 45u);
    EXPECT_EQ(wire_bytes(Wire::q8, 2048), 64u * 38);
}

TEST(f16_wire, decodes_every_half_as_core_does) {
    std::vector<std::byte> bytes(2 * 65536);
    for (std::uint32_t h = 0; h < 65536; ++h) {
        const auto half = static_cast<std::uint16_t>(h);
        std::memcpy(bytes.data() + std::size_t{2} * h, &half, 2);
    }
    const std::vector<float> values = decoded(Wire::f16, bytes, 65536);
    for (std::uint32_t h = 0; h < 65536; ++h) {
        ASSERT_EQ(bits_of(values[h]), bits_of(f16_to_f32(static_cast<std::uint16_t>(h)))) << h;
    }
}

TEST(f16_wire, encodes_floats_of_all_sizes_as_core_does) {
    std::vector<float> values;
    for (std::uint64_t bits = 0; bits < (std::uint64_t{1} << 32); bits += 4093) {
        values.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
    }
    // the border of each half: its value, the middle to the next, and their neighbours
    for (std::uint32_t h = 0; h < 0x7C00; ++h) {
        const float low = f16_to_f32(static_cast<std::uint16_t>(h));
        const float high = h == 0x7BFF ? 65536.0F : f16_to_f32(static_cast<std::uint16_t>(h + 1));
        const float middle = low + (high - low) / 2;
        for (const float x : {low, middle}) {
            for (const float y : {x, std::nextafter(x, infinity), std::nextafter(x, 0.0F)}) {
                values.push_back(y);
                values.push_back(-y);
            }
        }
    }
    const std::vector<std::byte> bytes = encoded(Wire::f16, values);
    for (std::size_t i = 0; i < values.size(); ++i) {
        std::uint16_t half = 0;
        std::memcpy(&half, bytes.data() + 2 * i, 2);
        ASSERT_EQ(half, f32_to_f16(values[i])) << bits_of(values[i]);
    }
}

/// One block as the header defines it, with the library's rounding.
std::vector<float> block_by_definition(const std::vector<float>& x) {
    std::size_t place = 0;
    for (std::size_t i = 1; i < x.size(); ++i) {
        if (std::fabs(x[i]) > std::fabs(x[place])) place = i;
    }
    float second = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        if (i != place) second = std::max(second, std::fabs(x[i]));
    }
    float scale = std::bit_cast<float>(bits_of(second / 127) & 0xFFFF0000U);
    if (scale < second / 127) scale = std::bit_cast<float>(bits_of(scale) + 0x10000U);
    if (second / 127 < std::numeric_limits<float>::min()) scale = 0;
    std::vector<float> y(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
        const float inverse = scale > 0 ? 1 / scale : 0;
        y[i] = scale * std::nearbyint(x[i] * inverse);
    }
    y[place] = x[place];
    return y;
}

std::vector<float> by_definition(const std::vector<float>& x) {
    std::vector<float> y;
    for (std::size_t at = 0; at < x.size(); at += 32) {
        const auto begin = x.begin() + static_cast<std::ptrdiff_t>(at);
        const auto n = static_cast<std::ptrdiff_t>(std::min<std::size_t>(32, x.size() - at));
        const std::vector<float> block = block_by_definition({begin, begin + n});
        y.insert(y.end(), block.begin(), block.end());
    }
    return y;
}

TEST(q8_wire, gives_back_what_its_definition_says) {
    for (const std::size_t n : {0, 1, 2, 31, 32, 33, 63, 64, 65, 576, 4099}) {
        for (const float factor : {1.0F, 1e-30F, 3e-37F, 1e-43F, 1e30F}) {
            std::vector<float> x = partial_sums(n, n + 1);
            for (float& value : x) value *= factor;
            EXPECT_EQ(decoded(Wire::q8, encoded(Wire::q8, x), n), by_definition(x))
                << n << " values x " << factor;
        }
    }
}

TEST(q8_wire, keeps_the_largest_exactly_and_the_others_within_half_a_step) {
    const std::vector<float> x = partial_sums(3200, 9);
    const std::vector<float> y = decoded(Wire::q8, encoded(Wire::q8, x), x.size());
    for (std::size_t at = 0; at < x.size(); at += 32) {
        std::vector<float> magnitudes;
        for (std::size_t i = at; i < at + 32; ++i) magnitudes.push_back(std::fabs(x[i]));
        std::sort(magnitudes.begin(), magnitudes.end());
        const float half_step = magnitudes[30] / 254 * 1.009F; // the scale is rounded up to 8 bits
        for (std::size_t i = at; i < at + 32; ++i) {
            EXPECT_LE(std::fabs(y[i] - x[i]), std::fabs(x[i]) == magnitudes[31] ? 0 : half_step);
        }
    }
}

TEST(q8_wire, of_equal_values_keeps_the_first_apart) {
    const std::vector<float> x = {1.0F, -3.0F, 3.0F, -3.0F};
    const std::vector<std::byte> bytes = encoded(Wire::q8, x);
    ASSERT_EQ(bytes.size(), 10u);
    EXPECT_EQ(static_cast<std::int8_t>(bytes[7]), -128);
    EXPECT_NE(static_cast<std::int8_t>(bytes[9]), -128);
    const std::vector<float> y = decoded(Wire::q8, bytes, 4);
    EXPECT_EQ(y[1], -3.0F);
    EXPECT_NEAR(y[2], 3.0F, 0.013F);
    EXPECT_EQ(y[2], -y[3]);
}

TEST(q8_wire, of_zeros_is_zeros) {
    const std::vector<float> x(40, 0.0F);
    EXPECT_EQ(decoded(Wire::q8, encoded(Wire::q8, x), 40), x);
}

TEST(q8_wire, lets_what_is_not_finite_stay_visible) {
    for (const float bad : {infinity, -infinity, std::numeric_limits<float>::quiet_NaN()}) {
        std::vector<float> x = partial_sums(32, 4);
        x[5] = bad;
        std::vector<float> y = decoded(Wire::q8, encoded(Wire::q8, x), 32);
        EXPECT_FALSE(std::isfinite(y[5]));
        EXPECT_TRUE(std::isfinite(y[6])) << "one alone is the value kept apart";
        x[20] = bad;
        y = decoded(Wire::q8, encoded(Wire::q8, x), 32);
        EXPECT_FALSE(std::isfinite(y[5]));
        EXPECT_FALSE(std::isfinite(y[20]));
    }
}

TEST(wires, decode_from_any_block) {
    for (const Wire wire : {Wire::f32, Wire::f16, Wire::q8}) {
        const std::vector<float> x = partial_sums(1000, 12);
        const std::vector<std::byte> bytes = encoded(wire, x);
        const std::vector<float> whole = decoded(wire, bytes, x.size());
        for (const std::size_t begin : {0, 32, 512, 992}) {
            std::vector<float> rest(x.size() - begin);
            decode(wire, bytes.data(), begin, rest);
            EXPECT_TRUE(std::equal(rest.begin(), rest.end(),
                                   whole.begin() + static_cast<std::ptrdiff_t>(begin)));
        }
    }
}

/// The same on every processor: ranks may be of several kinds.
TEST(wires, have_these_bytes_everywhere) {
    const std::vector<float> x = partial_sums(4099, 2026);
    const std::vector<std::byte> half = encoded(Wire::f16, x);
    const std::vector<std::byte> q8 = encoded(Wire::q8, x);
    EXPECT_EQ(hash_of(std::span<const std::byte>(half)), 1604195963907902607u);
    EXPECT_EQ(hash_of(std::span<const std::byte>(q8)), 10260023816094332901u);
}

} // namespace
} // namespace pillar::comm
