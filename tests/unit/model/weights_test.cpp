// Which bytes of a file the ranks ask for.

#include "pillar/model/weights.hpp"
#include "support/models/model_files.hpp"

#include <gtest/gtest.h>

namespace pillar::model {
namespace {

using support::matrix_bytes;
using support::ModelFile;
using support::TinyModel;

/// Rows of K and V that ranks hold beyond the first copy.
std::uint64_t replicated_kv_bytes(const ModelFile& model, int n_ranks) {
    std::uint64_t heads = 0;
    for (int rank = 0; rank < n_ranks; ++rank)
        heads += partition::even_share(model.h().sizes(), rank, n_ranks).kv_heads.size();
    std::uint64_t row_bytes = 0;
    for (std::size_t layer = 0; layer < model.h().n_layers; ++layer)
        for (const char* name : {"attn_k", "attn_v"})
            row_bytes += model.file()
                             .find_tensor("blk." + std::to_string(layer) + "." + name + ".weight")
                             ->row_bytes();
    return (heads - model.h().n_kv_heads) * model.h().head_dim * row_bytes;
}

/// Blocks of row-parallel matrices that two ranks need both: at most one at each border between
/// ranks.
std::uint64_t shared_block_bytes(const ModelFile& model, int n_ranks) {
    std::uint64_t n = 0;
    for (std::size_t layer = 0; layer < model.h().n_layers; ++layer)
        for (const char* name : {"attn_output", "ffn_down"}) {
            const auto* t =
                model.file().find_tensor("blk." + std::to_string(layer) + "." + name + ".weight");
            n += static_cast<std::uint64_t>(n_ranks - 1) * t->n_rows() * t->type->block_bytes;
        }
    return n;
}

TEST(load_bytes, of_all_ranks_are_the_files_plus_what_replication_and_shared_blocks_explain) {
    for (const auto type : {quant::Type::q4_0, quant::Type::q4_k, quant::Type::f16})
        for (const std::uint32_t head_dim : {64u, 80u}) {
            const ModelFile model(TinyModel{.dim = 256,
                                            .n_heads = 6,
                                            .n_kv_heads = 2,
                                            .head_dim = head_dim,
                                            .ffn = 1280,
                                            .type = type});
            for (const int n_ranks : {1, 2, 3, 4, 5, 8}) {
                std::uint64_t requested = 0;
                threads::Team team(2);
                for (int rank = 0; rank < n_ranks; ++rank) {
                    const auto share = partition::even_share(model.h().sizes(), rank, n_ranks);
                    const auto& family = *kernels::find_family("integer");
                    const WeightPlan plan = plan_weights(model.file(), model.h(), share, family);
                    LoadBytes bytes;
                    load_weights(
                        model.file(), model.h(), family, plan, team, true, [](std::uint64_t) {},
                        bytes);
                    EXPECT_EQ(bytes.matrices, plan.read_bytes);
                    requested += bytes.matrices;
                }
                const std::uint64_t whole = matrix_bytes(model.file());
                EXPECT_GE(requested, whole);
                EXPECT_LE(requested, whole + whole / 20 + replicated_kv_bytes(model, n_ranks) +
                                         shared_block_bytes(model, n_ranks))
                    << quant::info(type).name << " on " << n_ranks;
                if (n_ranks == 1) {
                    EXPECT_EQ(requested, whole);
                }
            }
        }
}

/// Slices of an expert's down are packed apart, but read together.
TEST(load_bytes, of_experts_are_the_files) {
    const auto& family = *kernels::find_family("integer");
    for (const auto type : {quant::Type::q4_0, quant::Type::q4_k}) {
        const ModelFile model(TinyModel{
            .architecture = "qwen3moe", .dim = 256, .ffn = 768, .n_experts = 5, .type = type});
        threads::Team team(2);
        const auto share = partition::even_share(model.h().sizes(), 0, 1);
        const WeightPlan plan = plan_weights(model.file(), model.h(), share, family);
        LoadBytes bytes;
        const Weights weights = load_weights(
            model.file(), model.h(), family, plan, team, true, [](std::uint64_t) {}, bytes);
        std::uint64_t n_bytes = matrix_bytes(model.file());
        EXPECT_EQ(bytes.matrices, n_bytes);
        EXPECT_EQ(plan.read_bytes, n_bytes);
        for (const LayerWeights& layer : weights.layers) {
            EXPECT_EQ(layer.experts.size(), 5u);
            EXPECT_EQ(layer.experts[4].down.size(), 8u);
            EXPECT_EQ(layer.experts[4].gate.shape().n_rows, 768u);
        }
    }
}

TEST(load_bytes, halve_with_two_ranks) {
    const ModelFile model(TinyModel{.dim = 256, .n_heads = 8, .n_kv_heads = 4, .ffn = 512});
    const auto& family = *kernels::find_family("integer");
    const auto bytes = [&](int n_ranks) {
        return plan_weights(model.file(), model.h(),
                            partition::even_share(model.h().sizes(), 0, n_ranks), family)
            .read_bytes;
    };
    EXPECT_EQ(bytes(1), 2 * bytes(2));
    EXPECT_EQ(bytes(1), 4 * bytes(4));
}

} // namespace
} // namespace pillar::model
