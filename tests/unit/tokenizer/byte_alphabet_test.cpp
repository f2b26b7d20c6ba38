// The printable characters that stand for bytes in byte-level vocabularies.

#include "pillar/tokenizer/byte_alphabet.hpp"

#include <gtest/gtest.h>
#include <optional>
#include <set>

namespace pillar::tokenizer {
namespace {

TEST(ByteAlphabet, GivesEveryByteAPrintableCharacterOfItsOwn) {
    std::set<std::uint32_t> characters;
    for (unsigned byte = 0; byte < 256; ++byte) {
        const std::uint32_t c = alphabet_character(static_cast<std::uint8_t>(byte));
        characters.insert(c);
        EXPECT_EQ(alphabet_byte(c), byte);
        EXPECT_GT(c, 32u);
        EXPECT_FALSE(c >= 127 && c <= 160);
    }
    EXPECT_EQ(characters.size(), 256u);
    EXPECT_EQ(*characters.rbegin(), 0x143u);
}

TEST(ByteAlphabet, WritesSpacesAndLineEndsAsModelsDo) {
    EXPECT_EQ(piece_of_bytes(" the\n\t"), "ĠtheĊĉ");
    EXPECT_EQ(piece_of_bytes("é\xAD"), "Ã©Ń");
    EXPECT_EQ(bytes_of_piece("ĠtheĊ"), " the\n");
}

TEST(ByteAlphabet, PiecesOutsideTheAlphabetStandForNoBytes) {
    EXPECT_EQ(bytes_of_piece("a b"), std::nullopt);
    EXPECT_EQ(bytes_of_piece("中"), std::nullopt);
    EXPECT_EQ(bytes_of_piece("\xC4"), std::nullopt);
    EXPECT_EQ(bytes_of_piece(""), "");
}

} // namespace
} // namespace pillar::tokenizer
