// Half floats against numpy over all patterns (tests/data/half), and the values where rounding is
// delicate.

#include "pillar/core/half.hpp"

#include <bit>
#include <cmath>
#include <cstddef>
#include <fstream>
#include <gtest/gtest.h>
#include <limits>
#include <map>
#include <string>
#include <vector>

namespace {

using pillar::bf16_to_f32;
using pillar::f16_to_f32;
using pillar::f32_to_f16;

std::uint64_t numpy_checksum(const std::string& name) {
    std::ifstream file(PILLAR_TEST_DATA "/half/checksums.txt");
    std::map<std::string, std::uint64_t> sums;
    std::string key;
    std::uint64_t value = 0;
    while (file >> key >> std::hex >> value) sums[key] = value;
    return sums.at(name);
}

class Checksum {
  public:
    void add(std::uint32_t bits) { sum_ += bits * (2 * n_++ + 1); }
    [[nodiscard]] std::uint64_t value() const { return sum_; }

  private:
    std::uint64_t sum_ = 0;
    std::uint64_t n_ = 0;
};

TEST(Half, widens_every_pattern_as_numpy_does) {
    Checksum sum;
    for (std::uint32_t h = 0; h < 65536; ++h) {
        const float wide = f16_to_f32(static_cast<std::uint16_t>(h));
        sum.add(std::isnan(wide) ? 0x7FC00000u : std::bit_cast<std::uint32_t>(wide));
    }
    EXPECT_EQ(sum.value(), numpy_checksum("f16_to_f32"));
}

TEST(Half, rounds_every_value_midpoint_and_neighbour_as_numpy_does) {
    Checksum sum;
    for (const std::uint32_t sign : {0u, 0x80000000u}) {
        for (std::uint32_t h = 0; h < 0x7C00; ++h) {
            const float value = f16_to_f32(static_cast<std::uint16_t>(h));
            const float above =
                h == 0x7BFF ? 65536.0f : f16_to_f32(static_cast<std::uint16_t>(h + 1));
            for (const float probe : {value, (value + above) / 2}) {
                const auto bits = std::bit_cast<std::uint32_t>(probe);
                for (const std::uint32_t b : {bits, bits + 1, std::max(bits, 1u) - 1})
                    sum.add(f32_to_f16(std::bit_cast<float>(b | sign)));
            }
        }
    }
    EXPECT_EQ(sum.value(), numpy_checksum("f32_to_f16"));
}

TEST(Half, round_trip_keeps_every_pattern_but_makes_nans_quiet) {
    for (std::uint32_t h = 0; h < 65536; ++h) {
        const bool is_nan = (h & 0x7C00) == 0x7C00 && (h & 0x3FF) != 0;
        const std::uint32_t expected = is_nan ? h | 0x200 : h;
        ASSERT_EQ(f32_to_f16(f16_to_f32(static_cast<std::uint16_t>(h))), expected) << h;
    }
}

TEST(Half, rounds_to_even_at_overflow_and_underflow) {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    EXPECT_EQ(f32_to_f16(65504.0f), 0x7BFF);
    EXPECT_EQ(f32_to_f16(65519.996f), 0x7BFF);
    EXPECT_EQ(f32_to_f16(65520.0f), 0x7C00);
    EXPECT_EQ(f32_to_f16(1e30f), 0x7C00);
    EXPECT_EQ(f32_to_f16(-infinity), 0xFC00);
    EXPECT_EQ(f32_to_f16(0x1p-24f), 0x0001);
    EXPECT_EQ(f32_to_f16(0x1p-25f), 0x0000); // tie between 0 and 2^-24: even
    EXPECT_EQ(f32_to_f16(0x1.000002p-25f), 0x0001);
    EXPECT_EQ(f32_to_f16(0x1.8p-24f), 0x0002); // tie between 1 and 2 units: even
    EXPECT_EQ(f32_to_f16(0x1.ff8p-15f), 0x03FF);
    EXPECT_EQ(f32_to_f16(0x1.ffcp-15f), 0x0400); // rounds up into the normal numbers
    EXPECT_EQ(f32_to_f16(-0.0f), 0x8000);
    EXPECT_EQ(f32_to_f16(0x1p-149f), 0x0000);
}

TEST(BrainFloat, is_the_upper_half_of_an_f32) {
    for (std::uint32_t h = 0; h < 65536; ++h)
        ASSERT_EQ(std::bit_cast<std::uint32_t>(bf16_to_f32(static_cast<std::uint16_t>(h))),
                  h << 16);
}

} // namespace
