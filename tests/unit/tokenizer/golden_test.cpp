// Token ids of seven real vocabularies, as llama.cpp publishes them beside the vocabularies.

#include "vocabularies.hpp"

#include "pillar/core/utf8.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <sstream>
#include <string>

namespace pillar::tokenizer {
namespace {

constexpr std::string_view separator = "\n__ggml_vocab_test__\n";

std::vector<std::string> texts_of(std::string_view file) {
    std::vector<std::string> texts;
    for (std::size_t begin = 0;;) {
        const std::size_t end = file.find(separator, begin);
        if (end == std::string_view::npos) return texts; // the last text is followed by one, too
        texts.emplace_back(file.substr(begin, end - begin));
        begin = end + separator.size();
    }
}

std::vector<TokenId> ids_of(const std::string& line) {
    std::istringstream stream(line);
    return {std::istream_iterator<TokenId>(stream), {}};
}

class GoldenVocabulary : public testing::TestWithParam<const char*> {};

TEST_P(GoldenVocabulary, GivesThePublishedIdsForEveryText) {
    const auto metadata = test::golden(GetParam());
    if (!metadata)
        GTEST_SKIP() << "the golden vocabulary " << GetParam()
                     << " is not here: put a GGUF with it into models/";
    const std::string data = PILLAR_TEST_DATA "/tokenizers/published/";
    const auto texts = texts_of(test::read_file(data + "texts.inp").value());
    std::istringstream expected(test::read_file(data + GetParam() + ".out").value());
    const Tokenizer tokenizer(*metadata);

    ASSERT_EQ(texts.size(), 46);
    std::string line;
    for (const std::string& text : texts) {
        ASSERT_TRUE(std::getline(expected, line));
        const auto ids = tokenizer.encode(text, {.add_special = false, .parse_special = false});
        EXPECT_EQ(ids, ids_of(line)) << "text: \"" << text << '"';
        EXPECT_EQ(tokenizer.decode(ids), text);
    }
}

INSTANTIATE_TEST_SUITE_P(Published, GoldenVocabulary,
                         testing::Values("llama-spm", "phi-3", "gpt-2", "starcoder", "llama-bpe",
                                         "qwen2", "deepseek-llm"),
                         [](const auto& instance) {
                             std::string name = instance.param;
                             std::replace(name.begin(), name.end(), '-', '_');
                             return name;
                         });

} // namespace
} // namespace pillar::tokenizer
