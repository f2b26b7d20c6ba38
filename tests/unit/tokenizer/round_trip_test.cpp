// What holds for every vocabulary: text comes back from its tokens.

#include "vocabularies.hpp"

#include "pillar/core/utf8.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <utility>

namespace pillar::tokenizer {
namespace {

constexpr EncodeOptions plain{.add_special = false, .parse_special = false};

/// Without the bytes for which there is no token.
std::string representable(const Tokenizer& tokenizer, const std::string& text) {
    std::string kept;
    for (const char byte : text)
        if (!tokenizer.encode(std::string(1, byte), plain).empty()) kept += byte;
    return kept;
}

std::string random_bytes(std::mt19937& random, std::size_t size) {
    std::string bytes(size, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random() & 0xFF);
    return bytes;
}

std::string random_text(std::mt19937& random, std::size_t n_characters) {
    static const std::string_view parts[] = {
        " ",      "  ",   "\n",       "\r\n", "\t",          "a",    "the ",
        "Zürich", "é",    "e\u0301",  "中文", "한국",        "🦙", "👩‍🚀",
        "12",     "3",    "'s",       "<",    "|>",          "!!",   "\u00a0",
        "\u3000", "\xFF", "\xE2\x96", "\xC3", "\xED\xA0\x80"};
    std::string text;
    for (std::size_t i = 0; i < n_characters; ++i) text += parts[random() % std::size(parts)];
    return text;
}

class EveryVocabulary : public testing::TestWithParam<const char*> {
  protected:
    void SetUp() override {
        const auto metadata = test::find(GetParam());
        if (!metadata)
            GTEST_SKIP() << "the vocabulary of " << GetParam()
                         << " is not here: put a GGUF with it into models/";
        tokenizer_.emplace(*metadata);
    }
    [[nodiscard]] const Tokenizer& tokenizer() const { return *tokenizer_; }

    std::optional<Tokenizer> tokenizer_;
};

TEST_P(EveryVocabulary, EncodingWhatAPieceReadsGivesTheSameTextBack) {
    const auto n = static_cast<TokenId>(tokenizer().vocabulary().size());
    const TokenId step = n > 20'000 ? 7 : 1;
    for (TokenId id = 0; id < n; id += step) {
        const std::string text = tokenizer().decode(std::vector{id}, true);
        const auto ids = tokenizer().encode(text, {.add_special = false, .parse_special = true});
        EXPECT_EQ(tokenizer().decode(ids, true), text) << "piece " << id;
    }
}

TEST_P(EveryVocabulary, EveryCodePointComesBack) {
    for (std::uint32_t c = 0; c < 0x110000; c += c < 0x3000 ? 1 : 5) {
        if ((c >= 0xD800 && c < 0xE000) || c == 0x2581) continue; // U+2581 is SentencePiece's space
        std::string text;
        append_utf8(text, c);
        ASSERT_EQ(tokenizer().decode(tokenizer().encode(text, plain)),
                  representable(tokenizer(), text))
            << c;
    }
}

TEST_P(EveryVocabulary, RandomTextComesBackByteForByte) {
    std::mt19937 random(1);
    for (int i = 0; i < 2000; ++i) {
        const std::string text =
            i % 2 == 0 ? random_text(random, random() % 40) : random_bytes(random, random() % 60);
        ASSERT_EQ(tokenizer().decode(tokenizer().encode(text, plain)),
                  representable(tokenizer(), text))
            << i;
    }
}

INSTANTIATE_TEST_SUITE_P(RoundTrip, EveryVocabulary,
                         testing::Values("small-bpe", "small-spm", "llama-spm", "phi-3", "gpt-2",
                                         "starcoder", "llama-bpe", "qwen2", "deepseek-llm",
                                         "smollm2"),
                         [](const auto& instance) {
                             std::string name = instance.param;
                             std::ranges::replace(name, '-', '_');
                             return name;
                         });

} // namespace
} // namespace pillar::tokenizer
