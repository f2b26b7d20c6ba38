// Decoding token by token: whole characters only, and in the end the same as all at once.

#include "vocabularies.hpp"

#include "pillar/core/utf8.hpp"
#include "pillar/tokenizer/tokenizer.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace pillar::tokenizer {
namespace {

constexpr EncodeOptions plain{.add_special = false, .parse_special = false};

std::string stream(const Tokenizer& tokenizer, const std::vector<TokenId>& ids,
                   bool special = false) {
    StreamDecoder decoder(tokenizer, special);
    std::string text;
    for (const TokenId id : ids) {
        const std::string part = decoder.push(id);
        EXPECT_TRUE(is_utf8(part));
        text += part;
    }
    return text + decoder.finish();
}

TEST(StreamDecoder, HoldsTheBytesOfACharacterBackUntilItIsWhole) {
    const Tokenizer tokenizer(test::small("small-spm"));
    const std::vector<TokenId> llama{3 + 0xF0, 3 + 0x9F, 3 + 0xA6, 3 + 0x99}; // 🦙
    StreamDecoder decoder(tokenizer);
    EXPECT_EQ(decoder.push(llama[0]), "");
    EXPECT_EQ(decoder.push(llama[1]), "");
    EXPECT_EQ(decoder.push(llama[2]), "");
    EXPECT_EQ(decoder.push(llama[3]), "🦙");
    EXPECT_EQ(decoder.finish(), "");
}

TEST(StreamDecoder, ShowsABrokenCharacterAsSoonAsItCannotBecomeWhole) {
    const Tokenizer tokenizer(test::small("small-spm"));
    StreamDecoder decoder(tokenizer);
    EXPECT_EQ(decoder.push(3 + 0xF0), "");
    EXPECT_EQ(decoder.push(3 + 'a'), "\uFFFDa");
    EXPECT_EQ(decoder.push(3 + 0xE2), "");
    EXPECT_EQ(decoder.finish(), "\uFFFD");
    EXPECT_EQ(decoder.finish(), "");
    EXPECT_EQ(decoder.push(3 + 'b'), "b");
}

TEST(StreamDecoder, TheSpaceInFrontIsShownOnlyWhereTheModelDidNotPutIt) {
    const Tokenizer tokenizer(test::small("small-spm"));
    const auto ids = tokenizer.encode("the the"); // BOS ▁the ▁the
    ASSERT_EQ(ids.front(), 1);
    EXPECT_EQ(stream(tokenizer, ids), "the the");
    EXPECT_EQ(stream(tokenizer, {ids.begin() + 1, ids.end()}), "the the");
    EXPECT_EQ(stream(tokenizer, ids, true), "<s> the the");
}

TEST(StreamDecoder, EqualsDecodingAtOnceForAnyTokensWhateverTheyAre) {
    std::mt19937 random(8);
    for (const auto* name : {"small-spm", "small-bpe"}) {
        const Tokenizer tokenizer(test::small(name));
        const auto n = static_cast<TokenId>(tokenizer.vocabulary().size());
        for (int i = 0; i < 3000; ++i) {
            std::vector<TokenId> ids;
            for (std::size_t k = random() % 12; k > 0; --k)
                ids.push_back(static_cast<TokenId>(random()) % (i % 2 == 0 ? n : 259));
            const bool special = i % 3 == 0;
            ASSERT_EQ(stream(tokenizer, ids, special),
                      to_valid_utf8(tokenizer.decode(ids, special)));
        }
    }
}

TEST(StreamDecoder, EqualsTheTextWhereverItsBytesAreParted) {
    const std::string text = "Zürich 中文 🦙 e\u0301 👩‍🚀";
    const Tokenizer tokenizer(test::small("small-bpe"));
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        auto ids = tokenizer.encode(text.substr(0, cut), plain);
        const auto rest = tokenizer.encode(text.substr(cut), plain);
        ids.insert(ids.end(), rest.begin(), rest.end());
        EXPECT_EQ(stream(tokenizer, ids), text) << cut;
    }
    std::vector<TokenId> bytes;
    for (const char byte : text) bytes.push_back(static_cast<unsigned char>(byte));
    EXPECT_EQ(stream(tokenizer, bytes), text);
}

} // namespace
} // namespace pillar::tokenizer
