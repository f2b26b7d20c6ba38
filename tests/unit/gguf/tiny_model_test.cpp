// The tiny model that other tests rest on: whole, the same each time, and with weights of the
// promised spread.

#include "pillar/gguf/directory.hpp"
#include "pillar/gguf/file.hpp"
#include "pillar/quant/type.hpp"
#include "support/models/random_blocks.hpp"
#include "support/models/tiny_model.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <string>
#include <vector>

namespace {

using namespace pillar;
using support::RopeScaling;
using support::TinyModel;

gguf::Directory parse(const std::string& bytes) {
    return gguf::parse(std::as_bytes(std::span(bytes)), bytes.size(), "tiny.gguf");
}

TEST(TinyModel, RandomBlocksOfEveryFormatHaveTheirMeanAndSpread) {
    for (const quant::Type type : quant::all_types) {
        SCOPED_TRACE(quant::info(type).name);
        for (const double deviation : {0.5, 1.0 / 64.0}) {
            support::Random random(5);
            const std::size_t n = 1 << 16;
            const std::string bytes = support::random_blocks(type, n, deviation, random);
            std::vector<float> weights(n);
            quant::decode_row(type, std::as_bytes(std::span(bytes)), weights);
            double sum = 0;
            double squares = 0;
            double largest = 0;
            for (const float w : weights) {
                ASSERT_TRUE(std::isfinite(w));
                sum += w;
                squares += static_cast<double>(w) * w;
                largest = std::max(largest, std::fabs(static_cast<double>(w)));
            }
            EXPECT_NEAR(sum / n, 0.0, 0.05 * deviation);
            EXPECT_NEAR(std::sqrt(squares / n), deviation, 0.05 * deviation);
            EXPECT_LT(largest, 12 * deviation);
        }
    }
}

TEST(TinyModel, EveryShapeAndTypeParsesWithoutAWarning) {
    std::vector<TinyModel> models(7);
    models[1] = {
        .n_layers = 3, .dim = 72, .n_heads = 9, .n_kv_heads = 3, .ffn = 100, .tied = false};
    models[2] = {.dim = 256, .n_heads = 2, .head_dim = 80, .ffn = 512, .type = quant::Type::q4_k};
    models[3] = {.type = std::nullopt, .rope_scaling = RopeScaling::llama3};
    models[4] = {.bpe = true, .rope_scaling = RopeScaling::yarn};
    models[5] = {.vocab = 320, .rope_scaling = RopeScaling::linear};
    models[6] = {.type = quant::Type::f32, .seed = 9};
    for (const TinyModel& options : models) {
        const auto directory = parse(support::build_tiny_model(options).bytes());
        EXPECT_TRUE(directory.warnings.empty());
        const std::size_t extra =
            (options.tied ? 2u : 3u) + (options.rope_scaling == RopeScaling::llama3);
        EXPECT_EQ(directory.tensors.size(), 9 * options.n_layers + extra);
        EXPECT_EQ(directory.metadata.strings("tokenizer.ggml.tokens")->size(), options.vocab);
        EXPECT_EQ(directory.metadata.integers("tokenizer.ggml.token_type")->size(), options.vocab);
    }
}

TEST(TinyModel, TheSameOptionsGiveTheSameBytes) {
    const TinyModel options{.type = std::nullopt};
    EXPECT_EQ(support::build_tiny_model(options).bytes(),
              support::build_tiny_model(options).bytes());
    EXPECT_NE(support::build_tiny_model(options).bytes(),
              support::build_tiny_model({.type = std::nullopt, .seed = 2}).bytes());
}

TEST(TinyModel, AMixHasEveryFormat) {
    const auto model =
        support::build_tiny_model({.n_layers = 24, .dim = 256, .ffn = 256, .type = std::nullopt});
    std::set<std::uint32_t> types;
    for (const auto& tensor : model.tensors) types.insert(tensor.type);
    EXPECT_EQ(types.size(), std::size(quant::all_types));
}

TEST(TinyModel, OptionsThatFitNoModelAreRefused) {
    EXPECT_THROW(support::build_tiny_model({.n_heads = 4, .n_kv_heads = 3}), std::invalid_argument);
    EXPECT_THROW(support::build_tiny_model({.dim = 66}), std::invalid_argument);
    EXPECT_THROW(support::build_tiny_model({.vocab = 100}), std::invalid_argument);
}

} // namespace
