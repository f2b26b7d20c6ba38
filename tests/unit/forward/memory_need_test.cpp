// How much memory ranks say that they need.

#include "pillar/forward/transformer.hpp"
#include "support/models/model_files.hpp"

#include <gtest/gtest.h>

namespace pillar::forward {

using namespace model;

namespace {

using support::matrix_bytes;
using support::ModelFile;
using support::TinyModel;

TEST(memory_need, covers_weights_cache_and_buffers) {
    const ModelFile model(
        TinyModel{.dim = 256, .n_heads = 8, .n_kv_heads = 4, .ffn = 512, .context = 1024});
    TransformerOptions options;
    options.n_context = 1024;
    const auto share = partition::even_share(model.h().sizes(), 0, 1);
    const MemoryNeed need =
        memory_need(model.file(), model.h(), share, *kernels::find_family("integer"), options, 2);
    // keys and values, f16, 4 pages, 2 layers, 4 heads of 32
    EXPECT_EQ(need.kv_cache, 2u * 2 * 1024 * 2 * 4 * 32);
    // and five norms of 256 in f32: two a layer and the last
    EXPECT_EQ(need.weights, matrix_bytes(model.file()) + 5 * 256 * 4);
    EXPECT_GT(need.buffers, options.max_rows * model.h().dim * sizeof(float));
}

TEST(memory_need, is_what_loading_allocates_for_weights) {
    auto builder = support::build_tiny_model({.n_heads = 4, .n_kv_heads = 2, .ffn = 160});
    for (const auto& [name, n] :
         {std::pair("blk.0.attn_q.bias", 64), std::pair("blk.1.attn_k.bias", 32),
          std::pair("blk.1.ffn_up.bias", 160), std::pair("blk.0.ffn_down.bias", 64)})
        builder.tensors.push_back({.name = name,
                                   .shape = {static_cast<std::uint64_t>(n)},
                                   .type = 0,
                                   .data = std::string(4 * static_cast<std::size_t>(n), '\x3c')});
    const support::TemporaryDirectory folder;
    support::write_file(folder / "biased.gguf", builder.bytes());
    const gguf::File file(folder / "biased.gguf");
    const Hyperparameters h = read_hyperparameters(file);
    const auto& family = *kernels::find_family("integer");
    threads::Team team(1);
    for (const int n_ranks : {1, 2, 3})
        for (int rank = 0; rank < n_ranks; ++rank) {
            const auto share = partition::even_share(h.sizes(), rank, n_ranks);
            const WeightPlan plan = plan_weights(file, h, share, family);
            LoadBytes bytes;
            const Weights weights = load_weights(
                file, h, family, plan, team, false, [](std::uint64_t) {}, bytes);
            std::size_t allocated = weights.packed.size() + 4 * (weights.final_norm.capacity() +
                                                                 weights.rope_factors.capacity());
            for (const LayerWeights& layer : weights.layers)
                for (const auto* vector :
                     {&layer.attention_norm, &layer.feed_forward_norm, &layer.query_bias,
                      &layer.key_bias, &layer.value_bias, &layer.gate_bias, &layer.up_bias,
                      &layer.output_bias, &layer.down_bias})
                    allocated += 4 * vector->capacity();
            EXPECT_EQ(memory_need(file, h, share, family, {}, 1).weights, allocated)
                << rank << " of " << n_ranks;
            EXPECT_EQ(weights.layers[0].query_bias.size(), share.heads.size() * h.head_dim);
            EXPECT_EQ(weights.layers[1].up_bias.size(), share.hidden.size());
            EXPECT_EQ(weights.layers[0].down_bias.size(), 64u);
            EXPECT_TRUE(weights.layers[0].value_bias.empty());
        }
}

} // namespace
} // namespace pillar::forward
