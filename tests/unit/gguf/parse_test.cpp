// What a good file says arrives as it was written, and what is wrong is named with its place.

#include "pillar/gguf/directory.hpp"
#include "pillar/gguf/file.hpp"
#include "support/models/gguf_builder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

using namespace pillar;
using support::GgufBuilder;
using support::raw;
using ::testing::HasSubstr;

constexpr std::uint32_t type_f32 = 0;
constexpr std::uint32_t type_q4_0 = 2;
constexpr std::uint32_t type_q8_k = 15;
constexpr std::uint32_t array_type = 9;

gguf::Directory parse(const std::string& bytes) {
    return gguf::parse(std::as_bytes(std::span(bytes)), bytes.size(), "m.gguf");
}

std::string sentence_of(const std::string& bytes) {
    try {
        parse(bytes);
    } catch (const FormatError& error) {
        return error.what();
    }
    return "no error";
}

TEST(Parse, ReadsEveryTypeOfValue) {
    GgufBuilder file;
    file.set("u8", std::uint8_t{250});
    file.set("i8", std::int8_t{-5});
    file.set("u16", std::uint16_t{65'000});
    file.set("i16", std::int16_t{-30'000});
    file.set("u32", std::uint32_t{4'000'000'000});
    file.set("i32", std::int32_t{-7});
    file.set("f32", 0.1f);
    file.set("bool", true);
    file.set("string", "text");
    file.set("u64", ~std::uint64_t{0});
    file.set("i64", std::int64_t{-1});
    file.set("f64", 0.1);
    const auto metadata = parse(file.bytes()).metadata;
    EXPECT_EQ(metadata.entries().size(), 12u);
    EXPECT_EQ(metadata.entries()[2].key, "u16");
    EXPECT_EQ(std::get<std::uint8_t>(metadata.find("u8")->value), 250);
    EXPECT_EQ(std::get<std::int8_t>(metadata.find("i8")->value), -5);
    EXPECT_EQ(std::get<std::uint16_t>(metadata.find("u16")->value), 65'000);
    EXPECT_EQ(std::get<std::int16_t>(metadata.find("i16")->value), -30'000);
    EXPECT_EQ(std::get<std::uint32_t>(metadata.find("u32")->value), 4'000'000'000);
    EXPECT_EQ(std::get<std::int32_t>(metadata.find("i32")->value), -7);
    EXPECT_EQ(std::get<float>(metadata.find("f32")->value), 0.1f);
    EXPECT_EQ(metadata.boolean("bool"), true);
    EXPECT_EQ(*metadata.string("string"), "text");
    EXPECT_EQ(std::get<std::uint64_t>(metadata.find("u64")->value), ~0ull);
    EXPECT_EQ(std::get<std::int64_t>(metadata.find("i64")->value), -1);
    EXPECT_EQ(std::get<double>(metadata.find("f64")->value), 0.1);
}

TEST(Parse, ReadsArraysAndPassesOverArraysOfArrays) {
    GgufBuilder file;
    file.set("words", std::vector<std::string>{"", "a", "two words"});
    file.set("flags", std::vector<bool>{true, false, true});
    file.set("none", std::vector<float>{});
    const std::string inner =
        support::raw_array(8, 2, support::raw_string("x") + support::raw_string(""));
    file.set_raw("nested", array_type, support::raw_array(array_type, 3, inner + inner + inner));
    file.set("after", std::uint32_t{5});
    const auto directory = parse(file.bytes());
    const auto& metadata = directory.metadata;
    EXPECT_EQ(*metadata.strings("words"), (std::vector<std::string>{"", "a", "two words"}));
    const auto& flags = std::get<gguf::Array>(metadata.find("flags")->value);
    EXPECT_EQ(std::get<std::vector<bool>>(flags.values), (std::vector<bool>{true, false, true}));
    EXPECT_TRUE(metadata.floats("none")->empty());
    const auto& nested = std::get<gguf::Array>(metadata.find("nested")->value);
    EXPECT_EQ(std::get<gguf::Nested>(nested.values).count, 3u);
    EXPECT_EQ(nested.size(), 3u);
    EXPECT_EQ(metadata.integer("after", 0, 9), 5u);
    ASSERT_EQ(directory.warnings.size(), 1u);
    EXPECT_THAT(directory.warnings[0], HasSubstr("the first of nested at byte"));
}

TEST(Parse, PlacesTensorsAfterTheHeader) {
    GgufBuilder file;
    file.alignment = 64;
    file.set("general.alignment", std::uint32_t{64});
    file.tensors = {
        {.name = "a", .shape = {32, 3}, .type = type_q4_0, .data = std::string(54, 'a')},
        {.name = "b", .shape = {5}, .type = type_f32, .data = std::string(20, 'b')},
        {.name = "c", .shape = {256, 1, 2}, .type = type_q8_k, .data = std::string(584, 'c')}};
    const auto directory = parse(file.bytes());
    const std::uint64_t data = (file.header().size() + 63) / 64 * 64;
    EXPECT_EQ(directory.version, 3u);
    EXPECT_EQ(directory.alignment, 64u);
    EXPECT_EQ(directory.data_offset, data);
    ASSERT_EQ(directory.tensors.size(), 3u);
    const auto& a = directory.tensors[0];
    EXPECT_EQ(a.name, "a");
    EXPECT_EQ(a.type->name, "q4_0");
    EXPECT_EQ(a.shape, (std::vector<std::uint64_t>{32, 3}));
    EXPECT_EQ(a.n_columns(), 32u);
    EXPECT_EQ(a.n_rows(), 3u);
    EXPECT_EQ(a.n_elements(), 96u);
    EXPECT_EQ(a.row_bytes(), 18u);
    EXPECT_EQ(a.size_bytes, 54u);
    EXPECT_EQ(a.offset, data);
    EXPECT_EQ(directory.tensors[1].offset, data + 64);
    EXPECT_EQ(directory.tensors[1].n_rows(), 1u);
    EXPECT_EQ(directory.tensors[2].offset, data + 128);
    EXPECT_EQ(directory.tensors[2].size_bytes, 584u);
    EXPECT_TRUE(directory.warnings.empty());
}

TEST(Parse, HashChangesWithAnyByteOfTheHeaderAndWithNoneOfTheData) {
    GgufBuilder file;
    file.set("key", "value");
    file.tensors = {{.name = "a", .shape = {8}, .type = type_f32, .data = std::string(32, 'a')}};
    std::string bytes = file.bytes();
    const auto hash = parse(bytes).header_hash;
    bytes.back() = 'b';
    EXPECT_EQ(parse(bytes).header_hash, hash);
    bytes[bytes.find("value")] = 'V';
    EXPECT_NE(parse(bytes).header_hash, hash);
}

TEST(Parse, OldAndSwappedVersionsAreExplained) {
    const auto with_version = [](std::uint32_t version) {
        GgufBuilder file;
        file.version = version;
        return sentence_of(file.bytes());
    };
    EXPECT_EQ(with_version(2), "no error");
    EXPECT_THAT(with_version(1), HasSubstr("m.gguf: version at byte 4: is 1; versions 2 and 3"));
    EXPECT_THAT(with_version(4), HasSubstr("newer pillar"));
    EXPECT_THAT(with_version(0x0300'0000), HasSubstr("byte-swapped (big-endian)"));
}

TEST(Parse, ATruncatedFileIsNamedWithTensorAndBytes) {
    GgufBuilder file;
    file.tensors = {{.name = "blk.0.attn_q.weight",
                     .shape = {64},
                     .type = type_f32,
                     .data = std::string(256, 'a')}};
    const std::string bytes = file.bytes();
    EXPECT_EQ(
        sentence_of(bytes.substr(0, bytes.size() - 56)),
        "m.gguf: tensor \"blk.0.attn_q.weight\" at byte 24: data end at byte 352 but the file "
        "has 296 bytes; the file is truncated, download it again");
}

TEST(Parse, ControlCharactersOfATensorNameAreMadeVisible) {
    GgufBuilder file;
    file.tensors = {{.name = "\x1B[31m\x07", .shape = {33}, .type = type_q4_0, .data = "x"}};
    EXPECT_THAT(sentence_of(file.bytes()),
                HasSubstr("tensor \"\\x1B[31m\\x07\" at byte 24: has rows of 33"));
}

TEST(Parse, ADimensionOfZeroDoesNotExcuseTheOthers) {
    GgufBuilder file;
    file.tensors = {
        {.name = "a", .shape = {0, 1ull << 40, 1ull << 40}, .type = type_f32, .data = ""}};
    EXPECT_THAT(sentence_of(file.bytes()), HasSubstr("more elements than can be counted"));
}

TEST(Parse, FewerBytesThanTheHeaderAndItsPaddingAreAnError) {
    GgufBuilder file;
    file.set("key", "some value");
    file.tensors = {{.name = "t", .shape = {4}, .type = type_f32, .data = "0123456789abcdef"}};
    const std::string bytes = file.bytes();
    const std::size_t header = file.header().size();
    const std::size_t data = (header + 31) / 32 * 32;
    ASSERT_LT(header, data);
    const auto all = std::as_bytes(std::span(bytes));
    for (std::size_t n = 0; n < data; ++n)
        EXPECT_THROW(gguf::parse(all.first(n), bytes.size(), "m.gguf"), FormatError) << n;
    EXPECT_EQ(gguf::parse(all.first(data), bytes.size(), "m.gguf").data_offset, data);
}

TEST(Parse, AHeaderBeyondTheBoundIsRefusedWithoutReadingIt) {
    GgufBuilder file;
    const std::uint64_t claimed = std::uint64_t{1} << 34;
    file.set_raw("huge", array_type, support::raw_array(0, claimed, ""));
    const std::string bytes = file.header();
    try {
        gguf::parse(std::as_bytes(std::span(bytes)), 2 * claimed, "m.gguf");
        FAIL() << "was accepted";
    } catch (const FormatError& error) {
        EXPECT_THAT(error.what(), HasSubstr("huge"));
        EXPECT_THAT(error.what(), HasSubstr("the most that is read"));
    }
}

} // namespace
