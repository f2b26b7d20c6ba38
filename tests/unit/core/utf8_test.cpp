// UTF-8 against the standard's own examples, and the byte alphabet against its definition.

#include "pillar/core/utf8.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace pillar {
namespace {

using Kind = Utf8Unit::Kind;

TEST(Utf8, EveryScalarValueIsOneCharacterOfItsOwnLength) {
    for (std::uint32_t c = 0; c < 0x110000; ++c) {
        if (c >= 0xD800 && c < 0xE000) continue;
        std::string text;
        append_utf8(text, c);
        const std::size_t size = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
        ASSERT_EQ(text.size(), size);
        const Utf8Unit unit = next_unit(text, 0);
        ASSERT_EQ(unit.kind, Kind::character);
        ASSERT_EQ(unit.code_point, c);
        ASSERT_EQ(unit.size, size);
    }
}

TEST(Utf8, EveryStartOfACharacterIsUnfinishedAndNothingElse) {
    for (const std::string text : {"é", "中", "🦙"})
        for (std::size_t size = 1; size < text.size(); ++size) {
            const Utf8Unit unit = next_unit(text.substr(0, size), 0);
            EXPECT_EQ(unit.kind, Kind::unfinished);
            EXPECT_EQ(unit.size, size);
            EXPECT_EQ(next_unit(text.substr(0, size) + "a", 0).kind, Kind::broken);
        }
}

TEST(Utf8, OverlongFormsSurrogatesAndWhatIsTooLargeAreBrokenAtTheirFirstWrongByte) {
    // Unicode 15.0, table 3-8: U+FFFD once for each longest start of a character.
    const std::string r(replacement_character);
    EXPECT_EQ(to_valid_utf8("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82"
                            "A"),
              r + r + r + r + r + r + r + r + "A");
    EXPECT_EQ(to_valid_utf8("\xED\xA0\x80\xED\xBF\xBF\xED\xAF"
                            "A"),
              r + r + r + r + r + r + r + r + "A");
    EXPECT_EQ(to_valid_utf8("\xF4\x91\x92\x93\xFF"
                            "A\x80\xBF"
                            "B"),
              r + r + r + r + r + "A" + r + r + "B");
    EXPECT_EQ(to_valid_utf8("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF"
                            "A"),
              r + r + r + r + "A");
}

TEST(Utf8, WhatWasMadeValidIsValid) {
    std::mt19937 random(2);
    for (int i = 0; i < 2000; ++i) {
        std::string bytes(random() % 20, '\0');
        for (char& byte : bytes)
            byte = static_cast<char>(random() % 4 == 0 ? random() : 0xC0 | random());
        EXPECT_TRUE(is_utf8(to_valid_utf8(bytes)));
        EXPECT_EQ(is_utf8(bytes), to_valid_utf8(bytes) == bytes ||
                                      bytes.find(replacement_character) != std::string::npos);
    }
}

} // namespace
} // namespace pillar
