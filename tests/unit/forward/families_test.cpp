// A forward pass so small that an emulated processor finishes it: what packs, dispatches,
// multiplies and attends, in every format and family that the CPU has.

#include "pillar/forward/transformer.hpp"
#include "support/models/model_files.hpp"

#include <algorithm>
#include <cstring>
#include <gtest/gtest.h>

namespace pillar::forward {

using namespace model;
namespace {

using support::ModelFile;
using support::OneRank;

/// Logits after a prompt of six tokens and one more.
std::vector<float> logits_of(const ModelFile& model, std::string_view family, int n_threads) {
    TransformerOptions options;
    options.n_context = 32;
    options.max_rows = 6;
    OneRank rank(model, options, n_threads, family);
    std::vector<Row> rows;
    for (std::int32_t p = 0; p < 6; ++p) rows.push_back({3 + 40 * p, p, 0, false});
    rank.transformer().forward(rank.comm(), rows);
    const Row next[] = {{7, 6, 0, true}};
    const std::span<const float> logits = rank.transformer().forward(rank.comm(), next);
    return {logits.begin(), logits.end()};
}

class SmallestForward : public testing::TestWithParam<quant::Type> {};

TEST_P(SmallestForward, gives_the_bits_of_the_plain_family_in_every_other) {
    const ModelFile model({.n_layers = 1,
                           .dim = 256,
                           .n_heads = 4,
                           .n_kv_heads = 2,
                           .ffn = 256,
                           .vocab = 320,
                           .context = 32,
                           .type = GetParam()});
    const std::vector<float> expected = logits_of(model, "integer", 1);
    const auto [low, high] = std::minmax_element(expected.begin(), expected.end());
    EXPECT_GT(*high - *low, 0.1f); // they are something
    for (const kernels::Family* family : kernels::families()) {
        if (!family->supported() || family->float_activations) continue;
        const std::vector<float> logits = logits_of(model, family->name, 2);
        ASSERT_EQ(logits.size(), expected.size());
        EXPECT_EQ(std::memcmp(logits.data(), expected.data(), 4 * expected.size()), 0)
            << family->name;
    }
}

INSTANTIATE_TEST_SUITE_P(Types, SmallestForward, testing::ValuesIn(quant::all_types),
                         [](const auto& entry) {
                             return std::string(quant::info(entry.param).name);
                         });

} // namespace
} // namespace pillar::forward
