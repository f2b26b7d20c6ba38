// Byte-level BPE with vocabularies small enough to follow by hand.

#include "pillar/tokenizer/bpe.hpp"

#include "pillar/tokenizer/byte_alphabet.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pillar::tokenizer {
namespace {

/// The 256 bytes as ids 0…255, then `more`.
Vocabulary bytes_and(const std::vector<std::string>& more) {
    Vocabulary vocabulary;
    for (int byte = 0; byte < 256; ++byte)
        vocabulary.pieces.push_back(piece_of_bytes(std::string(1, static_cast<char>(byte))));
    for (const std::string& bytes : more) vocabulary.pieces.push_back(piece_of_bytes(bytes));
    vocabulary.types.assign(vocabulary.size(), TokenType::normal);
    return vocabulary;
}

std::vector<TokenId> encode(const Bpe& bpe, std::string_view word) {
    MergeSpace space;
    std::vector<TokenId> ids;
    bpe.encode(word, ids, space);
    return ids;
}

using Ids = std::vector<TokenId>;

TEST(Bpe, JoinsByRankAndNotByLength) {
    const Vocabulary vocabulary = bytes_and({"ab", "bc", "abc"}); // 256, 257, 258
    const std::vector<std::string> bc_first{"b c", "a b", "ab c"};
    EXPECT_EQ(encode(Bpe(vocabulary, bc_first, false), "abc"), (Ids{'a', 257}));
    const std::vector<std::string> ab_first{"a b", "b c", "ab c"};
    EXPECT_EQ(encode(Bpe(vocabulary, ab_first, false), "abc"), (Ids{258}));
}

TEST(Bpe, TheFirstOfTwoEqualMergesCounts) {
    const Vocabulary vocabulary = bytes_and({"ab", "bc"});
    const std::vector<std::string> merges{"a b", "b c", "a b"};
    EXPECT_EQ(encode(Bpe(vocabulary, merges, false), "abc"), (Ids{256, 'c'}));
}

TEST(Bpe, AWholeWordIsTakenWithoutMergesWhereTheRuleSaysSo) {
    const Vocabulary vocabulary = bytes_and({"hello"});
    EXPECT_EQ(encode(Bpe(vocabulary, {}, true), "hello"), (Ids{256}));
    EXPECT_EQ(encode(Bpe(vocabulary, {}, false), "hello"), (Ids{'h', 'e', 'l', 'l', 'o'}));
    EXPECT_EQ(encode(Bpe(vocabulary, {}, true), "hell"), (Ids{'h', 'e', 'l', 'l'}));
}

TEST(Bpe, MergesMayPassThroughWhatIsNoPieceAndFallBackToBytes) {
    const Vocabulary vocabulary = bytes_and({"abc"});
    const std::vector<std::string> merges{"a b", "ab c"};
    const Bpe bpe(vocabulary, merges, false);
    EXPECT_EQ(bpe.n_strange_merges(), 1u); // "ab" is no piece
    EXPECT_EQ(encode(bpe, "abc"), (Ids{256}));
    EXPECT_EQ(encode(bpe, "abd"), (Ids{'a', 'b', 'd'}));
}

TEST(Bpe, TextCannotBecomeAControlToken) {
    Vocabulary vocabulary = bytes_and({"<s>"});
    vocabulary.types.back() = TokenType::control;
    const std::vector<std::string> merges{"< s", "<s >"};
    EXPECT_EQ(encode(Bpe(vocabulary, merges, true), "<s>"), (Ids{'<', 's', '>'}));
    vocabulary.types.back() = TokenType::user_defined;
    EXPECT_EQ(encode(Bpe(vocabulary, merges, true), "<s>"), (Ids{256}));
}

TEST(Bpe, AUserDefinedTokenIsReadAsItIsWritten) {
    // As text "é" is two bytes; in the alphabet it would stand for the byte E9.
    Vocabulary vocabulary = bytes_and({});
    vocabulary.pieces[0xE9] = "unused";
    vocabulary.pieces.emplace_back("é");
    vocabulary.types.push_back(TokenType::user_defined);
    const Bpe bpe(vocabulary, {}, true);
    EXPECT_EQ(bpe.n_missing_bytes(), 1u);
    EXPECT_EQ(encode(bpe, "\xE9"), Ids{});
    EXPECT_EQ(encode(bpe, "é"), (Ids{0xC3, 0xA9}));
}

TEST(Bpe, AByteWithoutAPieceVanishesAndItsNeighboursStay) {
    Vocabulary vocabulary = bytes_and({});
    vocabulary.pieces[0x04] = "unused";
    EXPECT_EQ(encode(Bpe(vocabulary, {}, false), "a\x04z"), (Ids{'a', 'z'}));
}

TEST(Bpe, MergesOutsideTheAlphabetNeverApply) {
    const Vocabulary vocabulary = bytes_and({"ab"});
    const std::vector<std::string> merges{"中 文", "a b", "nobody knows"};
    const Bpe bpe(vocabulary, merges, false);
    EXPECT_EQ(bpe.n_strange_merges(), 2u);
    EXPECT_EQ(encode(bpe, "ab"), (Ids{256}));
}

TEST(Bpe, WorkStaysProportionalToAWordOfAMillionLetters) {
    std::vector<std::string> merges;
    std::vector<std::string> pieces;
    for (std::string piece = "a"; piece.size() < 64; piece += piece) {
        merges.push_back(piece + " " + piece);
        pieces.push_back(piece + piece);
    }
    const Bpe bpe(bytes_and(pieces), merges, false);
    MergeSpace space;
    Ids ids;
    const std::size_t size = 1'000'000;
    bpe.encode(std::string(size, 'a'), ids, space);
    EXPECT_EQ(ids.size(), size / 64);
    EXPECT_LE(space.work.lookups, 3 * size);
    EXPECT_LE(space.work.pops, 3 * size);
}

} // namespace
} // namespace pillar::tokenizer
