// Decoding against blocks decoded by the gguf Python package: tests/data/blocks, and the 64 blocks
// a format of the golden data where those are at hand.

#include "pillar/quant/type.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

namespace {

using namespace pillar::quant;

std::vector<std::byte> read_file(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::vector<char> text(std::istreambuf_iterator<char>(file), {});
    std::vector<std::byte> bytes(text.size());
    if (!text.empty()) std::memcpy(bytes.data(), text.data(), text.size());
    return bytes;
}

std::string file_name(Type type) {
    std::string name(info(type).name);
    std::transform(name.begin(), name.end(), name.begin(), ::toupper);
    return name;
}

class Decode : public testing::TestWithParam<Type> {};

void expect_equal_bits(Type type, const std::filesystem::path& folder) {
    const std::vector<std::byte> blocks = read_file(folder / (file_name(type) + ".blocks"));
    const std::vector<std::byte> expected = read_file(folder / (file_name(type) + ".f32"));
    ASSERT_FALSE(blocks.empty()) << folder;
    std::vector<float> weights(expected.size() / sizeof(float));
    decode_row(type, blocks, weights);
    for (std::size_t i = 0; i < weights.size(); ++i) {
        std::uint32_t bits = 0;
        std::memcpy(&bits, expected.data() + i * sizeof bits, sizeof bits);
        ASSERT_EQ(std::bit_cast<std::uint32_t>(weights[i]), bits) << "weight " << i;
    }
}

TEST_P(Decode, gives_the_bits_of_the_published_decoder) {
    expect_equal_bits(GetParam(), PILLAR_TEST_DATA "/blocks");
}

TEST_P(Decode, gives_the_bits_of_the_whole_golden_data) {
    if (GetParam() == Type::q1_0 || GetParam() == Type::q2_0 || is_grid(GetParam()))
        GTEST_SKIP() << "the golden data are older than the format; tests/data has blocks of it";
    if (!std::filesystem::exists(PILLAR_GOLDEN "/blocks"))
        GTEST_SKIP() << "the whole golden data are not in " PILLAR_GOLDEN
                        "; a part of them is in tests/data and was tried";
    expect_equal_bits(GetParam(), PILLAR_GOLDEN "/blocks");
}

constexpr Type block_types[] = {
    Type::q4_0,   Type::q4_1,    Type::q5_0,  Type::q5_1,  Type::q8_0,   Type::q2_k,
    Type::q3_k,   Type::q4_k,    Type::q5_k,  Type::q6_k,  Type::iq4_nl, Type::iq4_xs,
    Type::tq1_0,  Type::tq2_0,   Type::mxfp4, Type::q1_0,  Type::q2_0,   Type::iq2_xxs,
    Type::iq2_xs, Type::iq3_xxs, Type::iq1_s, Type::iq3_s, Type::iq2_s,  Type::iq1_m};
INSTANTIATE_TEST_SUITE_P(BlockFormats, Decode, testing::ValuesIn(block_types),
                         [](const auto& param) {
                             return std::string(pillar::quant::info(param.param).name);
                         });

TEST(DecodeFloats, keeps_f32_f16_and_bf16_as_they_are) {
    const float values[] = {0.0f, -0.0f, 1.0f, -1.5f, 65504.0f, 0x1p-24f};
    const std::uint16_t halves[] = {0x0000, 0x8000, 0x3C00, 0xBE00, 0x7BFF, 0x0001};
    const std::uint16_t brains[] = {0x0000, 0x8000, 0x3F80, 0xBFC0};
    std::vector<float> out(6);
    decode_row(Type::f32, std::as_bytes(std::span(values)), out);
    EXPECT_TRUE(std::equal(out.begin(), out.end(), values));
    decode_row(Type::f16, std::as_bytes(std::span(halves)), out);
    EXPECT_TRUE(std::equal(out.begin(), out.end(), values));
    EXPECT_TRUE(std::signbit(out[1]));
    decode_row(Type::bf16, std::as_bytes(std::span(brains)), std::span(out).first(4));
    EXPECT_TRUE(std::equal(out.begin(), out.begin() + 4, values));
    for (const Type type : {Type::f32, Type::f16, Type::bf16}) // one block is one weight
        EXPECT_EQ(info(type).block_weights, 1u);
    info(Type::f16).decode(std::as_bytes(std::span(halves)).subspan(6).data(), out.data());
    EXPECT_EQ(out[0], -1.5f);
}

TEST(DecodeRow, takes_an_empty_row) {
    for (const Type type : all_types) decode_row(type, {}, {});
}

TEST(DecodeRow, lets_an_infinite_or_nan_scale_be_seen) {
    std::vector<std::byte> block(info(Type::q4_0).block_bytes); // all integers are −8
    std::vector<float> weights(32);
    block[0] = std::byte{0x00}, block[1] = std::byte{0x7C};
    decode_row(Type::q4_0, block, weights);
    EXPECT_EQ(weights[0], -std::numeric_limits<float>::infinity());
    block[0] = std::byte{0x01};
    decode_row(Type::q4_0, block, weights);
    EXPECT_TRUE(std::isnan(weights[31]));
}

TEST(DecodeRow, takes_every_exponent_of_mxfp4_but_the_one_that_is_no_number) {
    for (int e = 0; e < 256; ++e) {
        std::vector<std::byte> block(info(Type::mxfp4).block_bytes, std::byte{0x77}); // all are 6
        block[0] = static_cast<std::byte>(e);
        std::vector<float> weights(32);
        decode_row(Type::mxfp4, block, weights);
        for (const float weight : weights) {
            // 6 · 2^(254 − 127) is beyond f32 as well, as it is in ggml
            EXPECT_EQ(weight,
                      e < 253 ? std::ldexp(6.0f, e - 127) : std::numeric_limits<float>::infinity());
        }
    }
}

TEST(DecodeRowDeathTest, ends_the_process_on_a_row_that_is_no_whole_number_of_blocks) {
    std::vector<std::byte> row(18);
    std::vector<float> weights(31);
    EXPECT_DEATH(decode_row(Type::q4_0, row, weights), "whole number of blocks");
    weights.resize(64);
    EXPECT_DEATH(decode_row(Type::q4_0, row, weights), "bytes match");
}

} // namespace
