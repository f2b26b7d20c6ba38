// What a step costs, against sums over the file; and the products alone.

#include "pillar/forward/transformer.hpp"
#include "support/models/model_files.hpp"

#include <algorithm>
#include <gtest/gtest.h>

namespace pillar::forward {

using namespace model;
namespace {

using support::ModelFile;
using support::TinyModel;

StepCost cost_of(const ModelFile& model, int rank, int n_ranks, std::string_view family) {
    TransformerOptions options;
    options.n_context = 256;
    options.max_rows = 4;
    threads::Team team(1);
    const Model loaded(model.file(), model.h(),
                       partition::even_share(model.h().sizes(), rank, n_ranks),
                       *kernels::find_family(family), team, false, [](std::uint64_t) {});
    return Transformer(loaded, options, team).cost();
}

TEST(step_cost, counts_every_matrix_of_the_file_once) {
    const ModelFile model(TinyModel{.n_layers = 2,
                                    .dim = 256,
                                    .n_heads = 8,
                                    .n_kv_heads = 2,
                                    .head_dim = 32,
                                    .ffn = 512,
                                    .type = quant::Type::q4_0,
                                    .tied = false});
    std::uint64_t layer_bytes = 0, layer_weights = 0;
    for (const gguf::TensorInfo& tensor : model.file().tensors()) {
        if (tensor.shape.size() != 2 || !tensor.name.starts_with("blk.")) continue;
        layer_bytes += tensor.size_bytes;
        layer_weights += tensor.n_elements();
    }
    const gguf::TensorInfo& output = *model.file().find_tensor("output.weight");
    const StepCost cost = cost_of(model, 0, 1, "integer");
    EXPECT_EQ(cost.layer_bytes, layer_bytes);
    EXPECT_EQ(cost.layer_macs, layer_weights);
    EXPECT_EQ(cost.output_bytes, output.size_bytes);
    EXPECT_EQ(cost.output_macs, output.n_elements());
    EXPECT_EQ(cost.kv_bytes, 2u * 2 * 2 * 32 * 2); // layers, K and V, KV heads, width, f16

    StepCost both;
    for (const int rank : {0, 1}) {
        const StepCost half = cost_of(model, rank, 2, "integer");
        both.layer_bytes += half.layer_bytes;
        both.layer_macs += half.layer_macs;
        both.output_bytes += half.output_bytes;
        both.kv_bytes += half.kv_bytes;
    }
    EXPECT_EQ(both.layer_bytes, cost.layer_bytes);
    EXPECT_EQ(both.layer_macs, cost.layer_macs);
    EXPECT_EQ(both.output_bytes, cost.output_bytes);
    EXPECT_EQ(both.kv_bytes, cost.kv_bytes);
}

TEST(step_cost, counts_no_integer_products_where_there_are_none) {
    const ModelFile floats(TinyModel{.type = quant::Type::f16});
    EXPECT_EQ(cost_of(floats, 0, 1, "integer").layer_macs, 0u);
    EXPECT_GT(cost_of(floats, 0, 1, "integer").layer_bytes, 0u);
    const ModelFile blocks(TinyModel{.type = quant::Type::q8_0});
    EXPECT_EQ(cost_of(blocks, 0, 1, "reference").layer_macs, 0u);
}

TEST(multiply_matrices, leaves_the_next_step_as_it_was) {
    const ModelFile model(TinyModel{.type = quant::Type::q8_0});
    TransformerOptions options;
    options.n_context = 256;
    options.max_rows = 4;
    const std::vector<Row> rows = {{5, 0, 0, false}, {9, 1, 0, false}, {4, 2, 0, true}};
    const auto logits = [&](bool disturbed) {
        support::OneRank rank(model, options, 2);
        for (std::size_t n = 1; disturbed && n <= options.max_rows; ++n)
            rank.transformer().multiply_matrices(n);
        const auto result = rank.transformer().forward(rank.comm(), rows);
        return std::vector<float>(result.begin(), result.end());
    };
    EXPECT_EQ(logits(true), logits(false));
}

TEST(seen_positions, are_those_of_every_row_counted_one_by_one) {
    for (const std::uint64_t window : {0u, 1u, 2u, 5u, 64u})
        for (const std::uint64_t first : {0u, 1u, 3u, 4u, 5u, 63u, 100u})
            for (const std::uint64_t n_rows : {1u, 2u, 7u, 80u}) {
                std::uint64_t attended = 0, lowest = first;
                for (std::uint64_t p = first; p < first + n_rows; ++p) {
                    const std::uint64_t begin = window == 0 || p < window ? 0 : p + 1 - window;
                    attended += p + 1 - begin;
                    lowest = std::min(lowest, begin);
                }
                const SeenPositions seen = seen_positions(first, n_rows, window);
                EXPECT_EQ(seen.attended, attended) << window << " " << first << " " << n_rows;
                EXPECT_EQ(seen.read, first + n_rows - lowest);
            }
}

} // namespace
} // namespace pillar::forward
