// Which type each tensor gets, against what llama.cpp gave the tensors of the same models
// (tests/data/quantize/types.txt), and the flags that change it.

#include "rules/layer_rules.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/gguf/directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>

namespace {

using namespace pillar;
using quant::Type;
using ::testing::HasSubstr;

struct ListedModel {
    std::string title;
    gguf::Metadata metadata;
    std::vector<gguf::TensorInfo> tensors;

    void add_tensor(std::istringstream& fields) {
        gguf::TensorInfo tensor;
        fields >> tensor.name;
        for (std::uint64_t extent = 0; fields >> extent;) tensor.shape.push_back(extent);
        tensor.type = &quant::info(tensor.shape.size() == 1 ? Type::f32 : Type::f16);
        tensors.push_back(std::move(tensor));
    }
    [[nodiscard]] gguf::File file() const {
        gguf::Directory directory;
        directory.metadata = metadata;
        directory.tensors = tensors;
        return {title, std::move(directory), [](const auto&, std::uint64_t, auto) {}};
    }
};

Type type_named(std::string_view name) {
    for (const Type type : quant::all_types) {
        const std::string_view known = quant::info(type).name;
        if (std::ranges::equal(name, known, [](char a, char b) { return a == std::tolower(b); }))
            return type;
    }
    throw std::runtime_error("unknown type in the list: " + std::string(name));
}

/// "q4_k:0,3-5 f32:1": of each tensor.
std::vector<Type> listed_types(std::istringstream& fields, std::size_t n) {
    std::vector<Type> types(n, Type::iq1_s);
    for (std::string field; fields >> field;) {
        const std::size_t colon = field.find(':');
        std::istringstream ranges(field.substr(colon + 1));
        for (std::string range; std::getline(ranges, range, ',');) {
            const std::size_t dash = range.find('-');
            const std::size_t first = std::stoul(range);
            const std::size_t last =
                dash == std::string::npos ? first : std::stoul(range.substr(dash + 1));
            for (std::size_t i = first; i <= last; ++i)
                types.at(i) = type_named(field.substr(0, colon));
        }
    }
    return types;
}

quantize::Options options_for(const std::string& mix, bool weighted) {
    quantize::Options options;
    options.mix = quant::find_mix(mix == "MXFP4_MOE" ? std::string_view("mxfp4") : mix)->mix;
    options.experts_alone = mix == "MXFP4_MOE";
    if (weighted) options.importance = "some.imatrix"; // is not read for the types
    return options;
}

TEST(Types, OfEveryTensorAreLlamaCpps) {
    std::ifstream list(PILLAR_TEST_DATA "/quantize/types.txt");
    ListedModel model;
    std::size_t n_compared = 0;
    for (std::string line; std::getline(list, line);) {
        std::istringstream fields(line);
        std::string word, key;
        fields >> word;
        if (word == "model") {
            model = ListedModel();
            std::getline(fields, model.title);
        } else if (word == "text") {
            std::string value;
            fields >> key >> value;
            model.metadata.add(key, {.type = gguf::ValueType::string, .value = value});
        } else if (word == "number") {
            std::uint32_t value = 0;
            fields >> key >> value;
            model.metadata.add(key, {.type = gguf::ValueType::uint32, .value = value});
        } else if (word == "tensor") {
            model.add_tensor(fields);
        } else if (word == "mix") {
            int weighted = 0;
            fields >> key >> weighted;
            const auto expected = listed_types(fields, model.tensors.size());
            const auto chosen =
                quantize::choose_types(model.file(), options_for(key, weighted != 0));
            ASSERT_EQ(chosen.size(), expected.size());
            for (std::size_t i = 0; i < chosen.size(); ++i, ++n_compared)
                EXPECT_EQ(quant::info(chosen[i].type).name, quant::info(expected[i]).name)
                    << model.title << ", " << key << (weighted != 0 ? " weighted, " : ", ")
                    << model.tensors[i].name;
        }
    }
    EXPECT_GT(n_compared, 20'000u);
}

class Flags : public ::testing::Test {
  protected:
    Flags() {
        options_.mix = quant::Mix::q4_k_m;
        model_.metadata.add("general.architecture",
                            {.type = gguf::ValueType::string, .value = std::string("llama")});
        for (const char* line :
             {"token_embd.weight 256 8", "output.weight 256 8", "blk.0.attn_v.weight 256 4",
              "blk.0.attn_k.weight 256 4", "blk.0.attn_k.bias 4", "blk.0.odd.weight 40 4"}) {
            std::istringstream fields(line);
            model_.add_tensor(fields);
        }
    }
    /// By the tensor's name.
    [[nodiscard]] std::map<std::string, Type> types() const {
        const auto choices = quantize::choose_types(model_.file(), options_);
        std::map<std::string, Type> types;
        for (std::size_t i = 0; i < choices.size(); ++i)
            types[model_.tensors[i].name] = choices[i].type;
        return types;
    }
    ListedModel model_;
    quantize::Options options_;
};

TEST_F(Flags, PureHasNoExceptionsButWidths) {
    options_.pure = true;
    const auto all = types();
    EXPECT_EQ(all.at("output.weight"), Type::q4_k);
    EXPECT_EQ(all.at("blk.0.attn_v.weight"), Type::q4_k);
    EXPECT_EQ(all.at("blk.0.attn_k.bias"), Type::f32);
    EXPECT_EQ(all.at("blk.0.odd.weight"), Type::f16);
}

TEST_F(Flags, OutputAndEmbeddingAreNamedApart) {
    options_.output_type = Type::q5_k;
    options_.embedding_type = Type::q8_0;
    EXPECT_EQ(types().at("output.weight"), Type::q5_k);
    EXPECT_EQ(types().at("token_embd.weight"), Type::q8_0);
    options_.output_type.reset();
    options_.leave_output = true;
    EXPECT_EQ(types().at("output.weight"), Type::f16);
    model_.tensors.erase(model_.tensors.begin() + 1); // the embedding is the output
    options_.leave_output = false;
    options_.embedding_type.reset();
    options_.output_type = Type::q5_k;
    EXPECT_EQ(types().at("token_embd.weight"), Type::q5_k);
}

TEST_F(Flags, TheFirstPatternFoundInANameCounts) {
    options_.tensor_types = {{"attn_[kx]", Type::q2_k}, {"^blk\\.0\\.attn", Type::q8_0}};
    EXPECT_EQ(types().at("blk.0.attn_k.weight"), Type::q2_k);
    EXPECT_EQ(types().at("blk.0.attn_v.weight"), Type::q8_0);
    EXPECT_EQ(types().at("token_embd.weight"), Type::q4_k);
    options_.tensor_types = {{"attn_(", Type::q2_k}};
    EXPECT_THROW((void)types(), UsageError);
}

TEST_F(Flags, ArchitecturesWithRulesOfTheirOwnAreRefused) {
    model_.metadata = gguf::Metadata();
    model_.metadata.add("general.architecture",
                        {.type = gguf::ValueType::string, .value = std::string("falcon")});
    try {
        (void)types();
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::refused);
        EXPECT_THAT(error.what(), HasSubstr("falcon"));
    }
}

} // namespace
