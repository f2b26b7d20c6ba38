// Values from an independent implementation of the definition in src/core/hash.cpp (Python, big
// integers).

#include "pillar/core/hash.hpp"

#include <array>
#include <bit>
#include <gtest/gtest.h>
#include <set>
#include <string_view>
#include <vector>

namespace pillar {
namespace {

std::uint64_t hash_text(std::string_view text, std::uint64_t seed = hash_seed) {
    return hash_of(std::span<const char>(text), seed);
}

TEST(hash, gives_the_known_values) {
    EXPECT_EQ(hash_text(""), hash_seed);
    EXPECT_EQ(hash_text("a"), 0xac2a9700d3fb392full);
    EXPECT_EQ(hash_text(std::string_view("a\0", 2)), 0xeb49f652f2a971f5ull);
    EXPECT_EQ(hash_text("pillar"), 0xd55a7d52516f2361ull);
    EXPECT_EQ(hash_text("12345678"), 0xfdd284cd78355edfull);
    EXPECT_EQ(hash_text(std::string_view("12345678\0", 9)), 0xbc8b6fca835aa1dcull);
    EXPECT_EQ(hash_text("The quick brown fox jumps over the lazy dog"), 0xee352d48ecc674d3ull);
    EXPECT_EQ(hash_text(std::string_view("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16), 0),
              hash_text(std::string_view("\0\0\0\0\0\0\0\0", 8),
                        hash_text(std::string_view("\0\0\0\0\0\0\0\0", 8), 0)));
    EXPECT_EQ(hash_text("The quick brown fox jumps over the lazy dog", 0), 0xaa25998fe8f069e4ull);
}

TEST(hash, of_pieces_cut_at_multiples_of_8_is_the_hash_of_the_whole) {
    const std::string_view text = "a pipe of 43 bytes goes through in pieces..";
    for (std::size_t cut = 0; cut <= text.size(); cut += 8)
        EXPECT_EQ(hash_text(text.substr(cut), hash_text(text.substr(0, cut))), hash_text(text));
    EXPECT_NE(hash_text(text.substr(3), hash_text(text.substr(0, 3))), hash_text(text));
}

TEST(hash, every_input_bit_moves_about_half_of_the_output_bits) {
    std::array<std::uint64_t, 4> words = {1, 2, 3, 4};
    const auto whole = [&] { return hash_of(std::span<const std::uint64_t>(words)); };
    const std::uint64_t before = whole();
    for (std::size_t bit = 0; bit < 256; ++bit) {
        words[bit / 64] ^= std::uint64_t{1} << (bit % 64);
        const int n_changed = std::popcount(before ^ whole());
        EXPECT_GT(n_changed, 12) << bit;
        EXPECT_LT(n_changed, 52) << bit;
        words[bit / 64] ^= std::uint64_t{1} << (bit % 64);
    }
}

TEST(hash, tells_apart_sign_flips_lengths_of_zeros_and_swapped_words) {
    std::set<std::uint64_t> seen;
    std::size_t n = 0;
    std::array<float, 6> x = {1, 2, 3, 4, 5, 6};
    for (unsigned signs = 0; signs < 64; ++signs, ++n) {
        for (unsigned i = 0; i < 6; ++i) x[i] = ((signs >> i) & 1u) != 0 ? -1.0f : 1.0f;
        seen.insert(hash_of(std::span<const float>(x)));
    }
    const std::vector<std::byte> zeros(100);
    for (std::size_t length = 0; length <= 100; ++length, ++n)
        seen.insert(hash_bytes(std::span(zeros).first(length)));
    seen.insert(hash_text("AAAAAAAABBBBBBBB"));
    seen.insert(hash_text("BBBBBBBBAAAAAAAA"));
    EXPECT_EQ(seen.size(), n + 2);
}

} // namespace
} // namespace pillar
