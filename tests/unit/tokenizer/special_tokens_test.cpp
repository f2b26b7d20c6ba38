// Special tokens against the obvious way: for every token, the longest first, search all text that
// is left.

#include "pillar/tokenizer/special_tokens.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace pillar::tokenizer {
namespace {

/// Texts of the fragments; tokens in brackets.
std::vector<std::string> split(const std::vector<SpecialToken>& tokens, std::string_view text) {
    std::vector<std::string> result;
    for (const Fragment& fragment : SpecialTokens(tokens).split(text)) {
        const std::string part(text.substr(fragment.begin, fragment.size));
        result.push_back(fragment.id < 0 ? part : "[" + part + "]");
    }
    return result;
}

std::vector<SpecialToken> numbered(std::vector<std::string> texts) {
    std::vector<SpecialToken> tokens;
    for (std::string& text : texts)
        tokens.push_back({std::move(text), static_cast<TokenId>(tokens.size())});
    return tokens;
}

bool is_space(char c) {
    return c == ' ' || c == '\n';
}

/// The obvious way; tokens of different lengths.
std::vector<Fragment> split_obviously(std::vector<SpecialToken> tokens, const std::string& text) {
    std::ranges::sort(tokens, std::greater<>(),
                      [](const auto& token) { return token.text.size(); });
    std::vector<Fragment> fragments{{0, text.size(), -1}};
    for (const SpecialToken& token : tokens)
        for (std::size_t i = 0; i < fragments.size(); ++i) {
            const Fragment whole = fragments[i];
            if (whole.id >= 0) continue;
            const auto at = text.substr(whole.begin, whole.size).find(token.text);
            if (at == std::string::npos) continue;
            std::size_t left_end = whole.begin + at;
            std::size_t right = left_end + token.text.size();
            const Fragment middle{left_end, token.text.size(), token.id};
            const std::size_t end = whole.begin + whole.size;
            while (token.strip_left && left_end > whole.begin && is_space(text[left_end - 1]))
                --left_end;
            while (token.strip_right && right < end && is_space(text[right])) ++right;
            std::vector<Fragment> parts;
            if (left_end > whole.begin) parts.push_back({whole.begin, left_end - whole.begin, -1});
            parts.push_back(middle);
            if (right < end) parts.push_back({right, end - right, -1});
            const auto place = fragments.erase(fragments.begin() + static_cast<std::ptrdiff_t>(i));
            fragments.insert(place, parts.begin(), parts.end());
        }
    if (text.empty()) fragments.clear();
    return fragments;
}

using Texts = std::vector<std::string>;

TEST(SpecialTokens, CutTheTextWhereTheyStand) {
    const auto tokens = numbered({"<s>", "</s>"});
    EXPECT_EQ(split(tokens, "a<s>b</s>"), (Texts{"a", "[<s>]", "b", "[</s>]"}));
    EXPECT_EQ(split(tokens, "<s><s>"), (Texts{"[<s>]", "[<s>]"}));
    EXPECT_EQ(split(tokens, "<s"), (Texts{"<s"}));
    EXPECT_EQ(split(tokens, ""), Texts{});
    EXPECT_EQ(split({}, "<s>"), (Texts{"<s>"}));
}

TEST(SpecialTokens, TheLongestIsFoundFirstWhereverItStands) {
    EXPECT_EQ(split(numbered({"<a>", "<a><b>"}), "<a><b><a>"), (Texts{"[<a><b>]", "[<a>]"}));
    EXPECT_EQ(split(numbered({"xab", "abcd"}), "xabcd"), (Texts{"x", "[abcd]"}));
    EXPECT_EQ(split(numbered({"xa", "xab", "abcd"}), "xabcd"), (Texts{"x", "[abcd]"}));
    EXPECT_EQ(split(numbered({"xx", "xxab", "abcde"}), "xxabcde"), (Texts{"[xx]", "[abcde]"}));
    EXPECT_EQ(split(numbered({"\n", "\n\n", "\n\n\n"}), "\n\n\n\n\n"),
              (Texts{"[\n\n\n]", "[\n\n]"}));
}

TEST(SpecialTokens, SwallowWhiteSpaceWhereTheyStrip) {
    auto tokens = numbered({"<r>", "<l>"});
    tokens[0].strip_right = true;
    tokens[1].strip_left = true;
    EXPECT_EQ(split(tokens, "a <r> \n b <l> c"), (Texts{"a ", "[<r>]", "b", "[<l>]", " c"}));
    EXPECT_EQ(split(tokens, "<r>  "), (Texts{"[<r>]"}));
    EXPECT_EQ(split(tokens, "  <l>"), (Texts{"[<l>]"}));
    EXPECT_EQ(split(tokens, "<r> <l>"), (Texts{"[<r>]", "[<l>]"}));
}

TEST(SpecialTokens, AgreeWithSearchingForOneAfterTheOther) {
    std::mt19937 random(6);
    for (int round = 0; round < 3000; ++round) {
        std::vector<SpecialToken> tokens;
        for (std::size_t size = 1 + random() % 2; size < 7; size += 1 + random() % 2) {
            std::string text(size, '\0');
            for (char& c : text) c = "ab "[random() % 3];
            tokens.push_back({text, static_cast<TokenId>(size)});
            if (round % 3 == 1) tokens.back().strip_right = random() % 2 == 0;
            if (round % 3 == 2) tokens.back().strip_left = random() % 2 == 0;
        }
        std::string text(random() % 30, '\0');
        for (char& c : text) c = "aab \n"[random() % 5];
        const auto fragments = SpecialTokens(tokens).split(text);
        const auto expected = split_obviously(tokens, text);
        ASSERT_EQ(fragments.size(), expected.size()) << round;
        for (std::size_t i = 0; i < expected.size(); ++i) {
            ASSERT_EQ(fragments[i].begin, expected[i].begin) << round;
            ASSERT_EQ(fragments[i].size, expected[i].size) << round;
            ASSERT_EQ(fragments[i].id, expected[i].id) << round;
        }
    }
}

TEST(SpecialTokens, ThousandsOfThemAreFoundInAMegabyte) {
    std::vector<std::string> texts;
    for (int i = 0; i < 5000; ++i) texts.push_back("<|reserved_" + std::to_string(i) + "|>");
    const SpecialTokens tokens(numbered(texts));
    std::string text(1 << 20, '<');
    EXPECT_EQ(tokens.split(text).size(), 1u);
    for (std::size_t i = 0; i + 30 < text.size(); i += 1024)
        text.replace(i, 19, "<|reserved_1234567|"); // almost
    EXPECT_EQ(tokens.split(text).size(), 1u);
    for (std::size_t i = 0; i + 30 < text.size(); i += 1024)
        text.replace(i, 17, "<|reserved_4999|>");
    EXPECT_EQ(tokens.split(text).size(), 2u * 1024u);
}

} // namespace
} // namespace pillar::tokenizer
