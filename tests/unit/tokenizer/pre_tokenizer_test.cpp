// How the rules cut. What their patterns must give for real text is in the vectors; here is what
// holds for all, and what is special to one.

#include "pillar/tokenizer/pre_tokenizer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>
#include <numeric>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace pillar::tokenizer {
namespace {

using Words = std::vector<std::string>;

Words words(const PreTokenizer& pre_tokenizer, std::string_view text) {
    Words result;
    std::size_t begin = 0;
    for (const std::size_t size : pre_tokenizer.split(text)) {
        result.emplace_back(text.substr(begin, size));
        begin += size;
    }
    EXPECT_EQ(begin, text.size());
    return result;
}

Words words(std::string_view name, std::string_view text) {
    return words(PreTokenizer(*find_pre_tokenizer(name)), text);
}

TEST(PreTokenizer, EveryNameBelongsToOneRule) {
    std::set<std::string_view> names;
    for (const PreTokenizerRule& rule : pre_tokenizer_rules())
        for (const auto name : rule.names) {
            EXPECT_TRUE(names.insert(name).second) << name;
            EXPECT_EQ(find_pre_tokenizer(name), &rule);
        }
    EXPECT_GE(names.size(), 80u);
    EXPECT_EQ(find_pre_tokenizer("nonsense"), nullptr);
    for (const auto* name :
         {"default",      "llama-bpe",      "smollm",       "qwen2",     "gpt-2",
          "deepseek-llm", "deepseek-coder", "deepseek-v3",  "starcoder", "refact",
          "command-r",    "falcon",         "mpt",          "olmo",      "dbrx",
          "tekken",       "gpt-4o",         "jina-v2-code", "codeshell", "bloom",
          "gpt3-finnish", "exaone",         "chatglm-bpe",  "viking",    "stablelm2",
          "poro-chat",    "minerva-7b",     "megrez"})
        EXPECT_TRUE(names.contains(name)) << name;
}

TEST(PreTokenizer, ARunOfSpacesLeavesItsLastOneToTheWordBehindIt) {
    EXPECT_EQ(words("gpt-2", "a   b  "), (Words{"a", "  ", " b", "  "}));
    EXPECT_EQ(words("llama-bpe", "a   b \n c"), (Words{"a", "  ", " b", " \n", " c"}));
}

TEST(PreTokenizer, DigitsAreCutAsTheRuleSays) {
    EXPECT_EQ(words("gpt-2", "x1234567"), (Words{"x", "1234567"}));
    EXPECT_EQ(words("llama-bpe", "x1234567"), (Words{"x", "123", "456", "7"}));
    EXPECT_EQ(words("smollm", "x12"), (Words{"x", "1", "2"}));
    EXPECT_EQ(words("superbpe", "x1234567"), (Words{"x", "1", "234", "567"}));
    EXPECT_EQ(words("tiny_aya", "12345"), (Words{"12", "345"}));
    EXPECT_EQ(words("superbpe", "12"), (Words{"12"}));
    EXPECT_EQ(words("superbpe", "123456"), (Words{"123", "456"}));
}

TEST(PreTokenizer, WhiteSpaceIsWhatUnicodeCallsSo) {
    // U+180E was white space until Unicode 6.3; U+0085 and U+3000 are.
    EXPECT_EQ(words("deepseek-coder", "\u0085a"), (Words{"\u0085a"}));
    EXPECT_EQ(words("deepseek-coder", "\u3000a"), (Words{"\u3000a"}));
    EXPECT_EQ(words("deepseek-coder", "\u180Ea"), (Words{"\u180E", "a"}));
}

TEST(PreTokenizer, BrokenBytesAreCutAsReplacementCharactersWouldBe) {
    EXPECT_EQ(words("gpt-2", "a\xFF\xFF b\xC3"), (Words{"a", "\xFF\xFF", " b", "\xC3"}));
    EXPECT_EQ(words("gpt-2", "\xE4\xB8 \xED\xA0\x80x"), (Words{"\xE4\xB8", " \xED\xA0\x80", "x"}));
}

TEST(PreTokenizer, EveryRuleKeepsEveryByteOfAnyText) {
    std::mt19937 random(7);
    for (const PreTokenizerRule& rule : pre_tokenizer_rules()) {
        const PreTokenizer pre_tokenizer(rule);
        EXPECT_TRUE(pre_tokenizer.split("").empty());
        for (int i = 0; i < 100; ++i) {
            std::string text(1 + random() % 50, '\0');
            for (char& c : text)
                c = static_cast<char>(random() % 3 != 0 ? " \n'a1.<Z"[random() % 8]
                                                        : static_cast<char>(random() & 0xFF));
            const auto sizes = pre_tokenizer.split(text);
            EXPECT_EQ(std::accumulate(sizes.begin(), sizes.end(), std::size_t{0}), text.size());
            EXPECT_TRUE(std::ranges::all_of(sizes, [](std::size_t size) { return size > 0; }));
        }
    }
}

double seconds_to_split(const PreTokenizer& pre_tokenizer, const std::string& text) {
    double least = 1e9;
    for (int i = 0; i < 2; ++i) {
        const std::clock_t start = std::clock();
        (void)pre_tokenizer.split(text);
        least = std::min(least, static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
    }
    return least;
}

TEST(PreTokenizer, EveryRuleTakesLinearTimeForRunsOfAnything) {
    // Sixteen times the text would take 256 times as long if a pattern scanned a run from each of
    // its places. Patterns have no counter to read, so processor time must do.
    const std::string runs[] = {"a",    "A",  " ",  "\n",   " \n",     "  x\u00a0", "7",
                                "<",    "<|", "a ", "中",   "é",       "🦙",      "\u0301",
                                "\xFF", "'",  "\t", "\r\n", "1234567a"};
    for (const PreTokenizerRule& rule : pre_tokenizer_rules()) {
        const PreTokenizer pre_tokenizer(rule);
        for (const std::string& part : runs) {
            const std::size_t size = part == " " ? 32'768 : 2048; // some look at 512 at once
            std::string once;
            while (once.size() < size) once += part;
            std::string often;
            for (int i = 0; i < 16; ++i) often += once;
            for (const auto* end : {"x", "1"}) {
                const double one = seconds_to_split(pre_tokenizer, once + end);
                const double sixteen = seconds_to_split(pre_tokenizer, often + end);
                EXPECT_LT(sixteen, 80 * one + 0.04) << rule.names[0] << ": " << part << end;
            }
        }
    }
}

} // namespace
} // namespace pillar::tokenizer
