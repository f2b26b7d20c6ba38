// Token ids of llama-cpp-python 0.3.36, and of SentencePiece for Gemma, for many texts, with real
// vocabularies under every pre-tokenizer's rule and with the small ones of our own
// (tests/data/tokenizers/README.md).

#include "vocabularies.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

namespace pillar::tokenizer {
namespace {

struct Vector {
    std::string vocabulary;
    std::string pre;
    bool parse_special = false;
    nlohmann::json options; ///< what the metadata say besides; null: nothing
    std::vector<std::vector<TokenId>> ids;

    [[nodiscard]] std::string name() const {
        std::string name = vocabulary + (pre.empty() ? "" : "_as_" + pre);
        if (parse_special) name += "_special";
        for (const auto& [key, value] : options.items()) name += "_" + key + "_" + value.dump();
        std::ranges::replace_if(
            name, [](unsigned char c) { return !std::isalnum(c); }, '_');
        return name;
    }
};

void PrintTo(const Vector& vector, std::ostream* out) {
    *out << vector.name();
}

std::string data(const char* file) {
    return test::read_file(std::string(PILLAR_TEST_DATA "/tokenizers/") + file).value();
}

std::vector<Vector> read_vectors() {
    std::vector<Vector> vectors;
    std::istringstream lines(data("vectors.jsonl"));
    for (std::string line; std::getline(lines, line);) {
        const auto json = nlohmann::json::parse(line);
        vectors.push_back({json.at("vocabulary"), json.at("pre"), json.at("parse_special"),
                           json.value("options", nlohmann::json()),
                           json.at("ids").get<std::vector<std::vector<TokenId>>>()});
    }
    return vectors;
}

gguf::Metadata with_options(gguf::Metadata metadata, const nlohmann::json& options) {
    const std::string prefix = "tokenizer.ggml.";
    for (const auto& [key, value] : options.items()) {
        if (key == "dropped_merges") {
            std::vector<std::string> merges = *metadata.strings(prefix + "merges");
            merges.resize(merges.size() - value.get<std::size_t>());
            metadata = test::with(metadata, prefix + "merges", test::texts(merges));
        } else { // add_space_prefix; add_bos and add_eos are "…_token" there
            const std::string name = key == "add_space_prefix" ? key : key + "_token";
            metadata = test::with(metadata, prefix + name, test::boolean(value.get<bool>()));
        }
    }
    return metadata;
}

class EngineVector : public testing::TestWithParam<Vector> {};

TEST_P(EngineVector, GivesTheSameIdsAsTheOtherEngine) {
    const Vector& vector = GetParam();
    const auto metadata = test::find(vector.vocabulary, vector.pre);
    if (!metadata)
        GTEST_SKIP() << "the vocabulary of " << vector.vocabulary
                     << " is not here: put a GGUF with it into models/";
    const Tokenizer tokenizer(with_options(*metadata, vector.options));
    const auto texts =
        nlohmann::json::parse(data(vector.parse_special ? "special_texts.json" : "texts.json"))
            .get<std::vector<std::string>>();
    ASSERT_EQ(texts.size(), vector.ids.size());
    for (std::size_t i = 0; i < texts.size(); ++i) {
        if (vector.ids[i].empty() && !texts[i].empty()) continue; // left out
        const auto ids = tokenizer.encode(texts[i], {vector.parse_special, vector.parse_special});
        EXPECT_EQ(ids, vector.ids[i]) << "text: \"" << texts[i] << '"';
    }
}

INSTANTIATE_TEST_SUITE_P(Vectors, EngineVector, testing::ValuesIn(read_vectors()),
                         [](const auto& instance) { return instance.param.name(); });

} // namespace
} // namespace pillar::tokenizer
