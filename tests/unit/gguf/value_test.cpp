// Accessors give a value only when type and range are right, and name key and byte when they are
// not.

#include "pillar/gguf/value.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace pillar::gguf;
using ::testing::HasSubstr;

/// A value whose type number is the variant's index: they go in the same order.
template <class T>
Value value_of(T held) {
    Value value{.type = {}, .value = std::move(held), .offset = 77};
    value.type = static_cast<ValueType>(value.value.index());
    return value;
}

template <class T>
Value array_of(ValueType element, std::vector<T> elements) {
    return value_of(Array{.element = element, .values = std::move(elements)});
}

Metadata one(Value value) {
    Metadata metadata("m.gguf");
    metadata.add("k", std::move(value));
    return metadata;
}

template <class Read>
std::string sentence_of(Read read) {
    try {
        static_cast<void>(read());
    } catch (const pillar::FormatError& error) {
        EXPECT_EQ(error.code(), pillar::ExitCode::bad_data);
        EXPECT_EQ(error.field, "k");
        EXPECT_EQ(error.offset, 77u);
        return error.what();
    }
    return "no error";
}

TEST(Metadata, KeepsTheOrderOfTheFileAndRefusesASecondOfAKey) {
    Metadata metadata;
    EXPECT_TRUE(metadata.add("z", value_of(std::uint8_t{1})));
    EXPECT_TRUE(metadata.add("a", value_of(std::uint8_t{2})));
    EXPECT_FALSE(metadata.add("z", value_of(std::uint8_t{3})));
    ASSERT_EQ(metadata.entries().size(), 2u);
    EXPECT_EQ(metadata.entries()[0].key, "z");
    EXPECT_EQ(metadata.integer("z", 0, 9), 1u);
    EXPECT_EQ(metadata.find("b"), nullptr);
}

TEST(Metadata, AbsentKeysGiveNothing) {
    const Metadata metadata("m.gguf");
    EXPECT_EQ(metadata.integer("k", 0, 1), std::nullopt);
    EXPECT_EQ(metadata.number("k"), std::nullopt);
    EXPECT_EQ(metadata.boolean("k"), std::nullopt);
    EXPECT_EQ(metadata.string("k"), nullptr);
    EXPECT_EQ(metadata.strings("k"), nullptr);
    EXPECT_EQ(metadata.floats("k"), nullptr);
    EXPECT_EQ(metadata.integers("k"), std::nullopt);
    EXPECT_EQ(metadata.error("k", "is absent").offset, std::nullopt);
}

TEST(Metadata, EveryIntegerTypeIsAnInteger) {
    EXPECT_EQ(one(value_of(std::uint8_t{200})).integer("k", 0, 255), 200u);
    EXPECT_EQ(one(value_of(std::int8_t{100})).integer("k", 0, 255), 100u);
    EXPECT_EQ(one(value_of(std::uint16_t{60'000})).integer("k", 0, 65'535), 60'000u);
    EXPECT_EQ(one(value_of(std::int16_t{30'000})).integer("k", 0, 65'535), 30'000u);
    EXPECT_EQ(one(value_of(std::uint32_t{4'000'000'000})).integer("k", 0, ~0ull), 4'000'000'000u);
    EXPECT_EQ(one(value_of(std::int32_t{2})).integer("k", 2, 2), 2u);
    EXPECT_EQ(one(value_of(~std::uint64_t{0})).integer("k", 0, ~0ull), ~0ull);
    EXPECT_EQ(one(value_of(std::int64_t{5})).integer("k", 0, 9), 5u);
}

TEST(Metadata, IntegersOutOfRangeAreNamedWithTheRange) {
    const auto read = [](Value value) {
        return sentence_of([&] { return one(std::move(value)).integer("k", 3, 7); });
    };
    EXPECT_THAT(read(value_of(std::uint32_t{2})), HasSubstr("is 2, outside 3 to 7"));
    EXPECT_THAT(read(value_of(std::uint32_t{8})), HasSubstr("is 8, outside"));
    EXPECT_THAT(read(value_of(std::int8_t{-1})), HasSubstr("is -1, outside"));
    EXPECT_THAT(read(value_of(std::numeric_limits<std::int64_t>::min())), HasSubstr("outside"));
    EXPECT_THAT(read(value_of(~std::uint64_t{0})), HasSubstr("outside"));
}

TEST(Metadata, NoOtherTypeIsAnInteger) {
    const auto read = [](Value value) {
        return sentence_of([&] { return one(std::move(value)).integer("k", 0, 7); });
    };
    EXPECT_THAT(read(value_of(true)), HasSubstr("a value of type bool, but an integer is needed"));
    EXPECT_THAT(read(value_of(1.0f)), HasSubstr("type f32"));
    EXPECT_THAT(read(value_of(1.0)), HasSubstr("type f64"));
    EXPECT_THAT(read(value_of(std::string("1"))), HasSubstr("type string"));
    EXPECT_THAT(read(array_of(ValueType::uint32, std::vector<std::uint32_t>{1})),
                HasSubstr("an array of u32 with 1 elements"));
}

TEST(Metadata, NumbersAreFinite) {
    EXPECT_EQ(one(value_of(1.5f)).number("k"), 1.5);
    EXPECT_EQ(one(value_of(-2.5)).number("k"), -2.5);
    EXPECT_EQ(one(value_of(std::int16_t{-3})).number("k"), -3.0);
    const auto read = [](Value value) {
        return sentence_of([&] { return one(std::move(value)).number("k"); });
    };
    EXPECT_THAT(read(value_of(std::numeric_limits<float>::infinity())), HasSubstr("finite"));
    EXPECT_THAT(read(value_of(std::numeric_limits<double>::quiet_NaN())), HasSubstr("finite"));
    EXPECT_THAT(read(value_of(false)), HasSubstr("but a number is needed"));
}

TEST(Metadata, OtherAccessorsTakeTheirTypeOnly) {
    EXPECT_EQ(one(value_of(true)).boolean("k"), true);
    EXPECT_EQ(*one(value_of(std::string("text"))).string("k"), "text");
    EXPECT_EQ(one(array_of<std::string>(ValueType::string, {"a", "b"})).strings("k")->size(), 2u);
    EXPECT_EQ(one(array_of<float>(ValueType::float32, {1.0f})).floats("k")->front(), 1.0f);

    const Metadata byte = one(value_of(std::uint8_t{1}));
    EXPECT_THAT(sentence_of([&] { return byte.boolean("k"); }), HasSubstr("but a bool is needed"));
    EXPECT_THAT(sentence_of([&] { return byte.string("k"); }), HasSubstr("but a string is needed"));
    const Metadata bytes = one(array_of<std::uint8_t>(ValueType::uint8, {1, 2}));
    EXPECT_THAT(sentence_of([&] { return bytes.floats("k"); }),
                HasSubstr("an array of u8 with 2 elements, but an array of f32 is needed"));
    EXPECT_THAT(sentence_of([&] { return bytes.strings("k"); }), HasSubstr("an array of strings"));
}

TEST(Metadata, IntegerArraysOfAnyTypeBecomeI64) {
    using Integers = std::vector<std::int64_t>;
    EXPECT_EQ(one(array_of<std::int8_t>(ValueType::int8, {-1, 2})).integers("k"),
              (Integers{-1, 2}));
    EXPECT_EQ(one(array_of<std::uint64_t>(ValueType::uint64, {5})).integers("k"), (Integers{5}));
    const auto read = [](Value value) {
        return sentence_of([&] { return one(std::move(value)).integers("k"); });
    };
    EXPECT_THAT(read(array_of<std::uint64_t>(ValueType::uint64, {~0ull})),
                HasSubstr("does not fit i64"));
    EXPECT_THAT(read(array_of<bool>(ValueType::boolean, {true})), HasSubstr("array of integers"));
    EXPECT_THAT(read(value_of(Array{.element = ValueType::array, .values = Nested{3}})),
                HasSubstr("an array of array with 3 elements"));
}

TEST(Metadata, ControlCharactersOfAKeyAreMadeVisible) {
    Metadata metadata("m.gguf");
    metadata.add("a\x1B[2J\nb", value_of(true));
    EXPECT_THAT(metadata.error("a\x1B[2J\nb", "is odd").what(),
                HasSubstr("m.gguf: a\\x1B[2J\\x0Ab at byte 77: is odd"));
}

} // namespace
