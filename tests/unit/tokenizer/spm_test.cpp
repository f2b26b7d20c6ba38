// SentencePiece-style merging with vocabularies small enough to follow by hand.

#include "pillar/tokenizer/spm.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace pillar::tokenizer {
namespace {

using Ids = std::vector<TokenId>;

/// <unk>, the 256 byte tokens (ids 1…256), then normal pieces with their scores.
Vocabulary bytes_and(const std::vector<std::pair<std::string, float>>& more) {
    Vocabulary vocabulary;
    vocabulary.pieces.emplace_back("<unk>");
    vocabulary.types.push_back(TokenType::unknown);
    for (int byte = 0; byte < 256; ++byte) {
        vocabulary.pieces.push_back(fmt::format("<0x{:02X}>", byte));
        vocabulary.types.push_back(TokenType::byte);
    }
    vocabulary.scores.assign(257, 0.0f);
    for (const auto& [piece, score] : more) {
        vocabulary.pieces.push_back(piece);
        vocabulary.types.push_back(TokenType::normal);
        vocabulary.scores.push_back(score);
    }
    vocabulary.unk = 0;
    return vocabulary;
}

Ids encode(const Spm& spm, std::string_view text) {
    MergeSpace space;
    Ids ids;
    spm.encode(text, ids, space);
    return ids;
}

TEST(Spm, JoinsByScoreAndTheLeftmostOfEqualOnes) {
    const Spm one(bytes_and({{"a", -9}, {"b", -9}, {"c", -9}, {"ab", -2}, {"bc", -1}}));
    EXPECT_EQ(encode(one, "abc"), (Ids{257, 261}));
    const Spm other(bytes_and({{"a", -9}, {"b", -9}, {"c", -9}, {"ab", -1}, {"bc", -1}}));
    EXPECT_EQ(encode(other, "abc"), (Ids{260, 259}));
}

TEST(Spm, WhatIsNoPieceBecomesItsBytes) {
    const Spm spm(bytes_and({{"a", -1}}));
    EXPECT_EQ(encode(spm, "aé"), (Ids{257, 1 + 0xC3, 1 + 0xA9}));
    EXPECT_EQ(encode(spm, "\xFF"
                          "a\xC3"),
              (Ids{1 + 0xFF, 257, 1 + 0xC3}));
}

TEST(Spm, WithoutByteTokensACharacterBecomesTheUnknownToken) {
    Vocabulary vocabulary = bytes_and({{"a", -1}});
    vocabulary.pieces[1 + 0xC3] = "no byte";
    vocabulary.types[1 + 0xC3] = TokenType::normal;
    const Spm spm(vocabulary);
    EXPECT_EQ(spm.n_missing_bytes(), 1u);
    EXPECT_EQ(encode(spm, "aéa"), (Ids{257, 0, 257}));
}

TEST(Spm, TextCannotBecomeAControlUnknownOrByteToken) {
    Vocabulary vocabulary =
        bytes_and({{"<", -1}, {"/s>", -1}, {"</s>", 0}, {"<0x41", -1}, {"unk>", -1}});
    vocabulary.types[259] = TokenType::control;
    const Spm spm(vocabulary);
    EXPECT_NE(encode(spm, "</s>"), (Ids{259}));
    EXPECT_NE(encode(spm, "<0x41>"), (Ids{1 + 0x41}));
    EXPECT_NE(encode(spm, "<unk>"), (Ids{0}));
}

TEST(Spm, PiecesMayHoldSpacesInTheirMiddle) {
    // "b▁a" joins what would otherwise be two words.
    const std::string space(escaped_space);
    const std::vector<std::pair<std::string, float>> pieces{
        {"a", -9}, {"b", -9}, {space, -9}, {space + "a", -3}, {"b" + space, -2}};
    EXPECT_EQ(encode(Spm(bytes_and(pieces)), "b" + space + "a"), (Ids{261, 257}));
    auto more = pieces;
    more.emplace_back("b" + space + "a", -1);
    EXPECT_EQ(encode(Spm(bytes_and(more)), "b" + space + "a"), (Ids{262}));
    more.erase(more.begin() + 4, more.end());
    EXPECT_EQ(encode(Spm(bytes_and(more)), "b" + space + space + "a"), (Ids{258, 259, 260}));
}

TEST(Spm, ByteTokensAreReadDigitByDigit) {
    EXPECT_EQ(byte_of_token("<0x00>"), 0x00);
    EXPECT_EQ(byte_of_token("<0xFf>"), 0xFF);
    for (const char* text :
         {"<0x-1>", "<0xZZ>", "<0x1>", "<0x001>", "<0x >", "<0x+1>", "0x41", "", "<0x41"})
        EXPECT_EQ(byte_of_token(text), std::nullopt) << text;
}

TEST(Spm, SpacesAreEscapedAndBack) {
    EXPECT_EQ(escape_spaces(" a  b"), "▁a▁▁b");
    EXPECT_EQ(unescape_spaces("▁a▁▁b"), " a  b");
    EXPECT_EQ(unescape_spaces("\xE2\x96"), "\xE2\x96");
}

TEST(Spm, WorkStaysProportionalToAMillionLetters) {
    std::vector<std::pair<std::string, float>> pieces{{"a", -9}};
    for (std::size_t size = 2; size <= 16; ++size)
        pieces.emplace_back(std::string(size, 'a'), 0.0f); // all alike: the leftmost each time
    const Spm spm(bytes_and(pieces));
    MergeSpace space;
    Ids ids;
    const std::size_t size = 1'000'000;
    spm.encode(std::string(size, 'a'), ids, space);
    EXPECT_EQ(ids.size(), size / 16);
    EXPECT_LE(space.work.lookups, 3 * size);
    EXPECT_LE(space.work.pops, 3 * size);
}

} // namespace
} // namespace pillar::tokenizer
