// What the layers of each architecture say that they compute, and that the lists of tensors have
// what every layer needs.

#include "pillar/model/architecture.hpp"
#include "pillar/model/weights.hpp"
#include "support/models/model_files.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <map>
#include <set>

namespace pillar::model {
namespace {

using support::ModelFile;
using support::TinyModel;

TEST(layer_spec, of_llama_is_the_same_in_all_layers) {
    const std::pair<std::uint32_t, float> scales[] = {{16, 0.25f}, {64, 0.125f}, {256, 0.0625f}};
    for (const auto& [head_dim, scale] : scales) {
        const ModelFile model(TinyModel{.n_layers = 3, .head_dim = head_dim});
        EXPECT_EQ(model.h().architecture->name, "llama");
        EXPECT_EQ(model.h().ropes.size(), 1u);
        ASSERT_EQ(model.h().layers.size(), 3u);
        for (const LayerSpec& layer : model.h().layers) {
            EXPECT_EQ(layer.norms, NormPlacement::before_block);
            EXPECT_EQ(layer.feed_forward, FeedForward::gated);
            EXPECT_EQ(layer.activation, Activation::silu);
            EXPECT_EQ(layer.attention_scale, scale); // 1 / √head_dim
            EXPECT_EQ(layer.rope, 0u);
        }
    }
}

TEST(layer_spec, of_gemma3_has_a_window_and_a_rotation_of_its_own_in_five_of_six_layers) {
    TinyModel tiny{.architecture = "gemma3", .n_layers = 13, .head_dim = 64, .window = 20};
    tiny.rope_base = 1e6f;
    tiny.rope_scaling = support::RopeScaling::linear;
    const ModelFile model(tiny);
    const Hyperparameters& h = model.h();
    EXPECT_EQ(h.embedding_scale, 8.0f); // √64
    ASSERT_EQ(h.ropes.size(), 2u);
    EXPECT_EQ(h.ropes[0].base, 1e6);
    EXPECT_EQ(h.ropes[0].factor, 4.0);
    EXPECT_EQ(h.ropes[1].base, 1e4);
    EXPECT_EQ(h.ropes[1].factor, 1.0);
    EXPECT_EQ(h.ropes[1].scaling, model::RopeScaling::none);
    for (std::size_t layer = 0; layer < 13; ++layer) {
        const LayerSpec& spec = h.layers[layer];
        const bool is_global = layer == 5 || layer == 11;
        EXPECT_EQ(spec.window, is_global ? 0u : 20u) << layer;
        EXPECT_EQ(spec.rope, is_global ? 0u : 1u) << layer;
        EXPECT_EQ(spec.norms, NormPlacement::around_block);
        EXPECT_EQ(spec.activation, Activation::gelu_tanh);
        EXPECT_EQ(spec.attention_scale, 0.125f);
        EXPECT_EQ(spec.score_cap, 0.0f);
    }
}

/// The largest models divide by the width that a head would have if heads shared the residual's.
TEST(layer_spec, of_the_largest_gemmas_scales_scores_by_another_width) {
    for (const auto& [name, n_layers] : {std::pair("gemma2", 46u), std::pair("gemma3", 62u)}) {
        const ModelFile model(TinyModel{
            .architecture = name, .n_layers = n_layers, .head_dim = 64, .ffn = 32, .window = 8});
        EXPECT_EQ(model.h().layers[3].attention_scale, 0.25f) << name; // 64 dimensions, 4 heads
    }
}

TEST(layer_spec, of_gemma2_has_caps_and_a_window_in_every_other_layer) {
    const ModelFile model(TinyModel{.architecture = "gemma2", .n_layers = 4});
    EXPECT_EQ(model.h().logit_cap, 6.0f);
    for (std::size_t layer = 0; layer < 4; ++layer) {
        EXPECT_EQ(model.h().layers[layer].window, layer % 2 == 0 ? 4096u : 0u);
        EXPECT_EQ(model.h().layers[layer].score_cap, 2.0f);
    }
}

TEST(layer_spec, of_smollm3_has_no_rotation_in_every_fourth_layer) {
    const ModelFile model(TinyModel{.architecture = "smollm3", .n_layers = 9});
    for (std::size_t layer = 0; layer < 9; ++layer) {
        const std::size_t n_dims = model.h().ropes[model.h().layers[layer].rope].n_dims;
        EXPECT_EQ(n_dims, layer == 3 || layer == 7 ? 0u : 16u) << layer;
    }
}

TEST(layer_spec, of_olmo2_has_norms_after_blocks_and_of_all_heads_together) {
    const ModelFile model(TinyModel{.architecture = "olmo2", .n_layers = 3, .head_dim = 32});
    EXPECT_EQ(n_joint_norms(model.h()), 3u);
    for (const LayerSpec& layer : model.h().layers) {
        EXPECT_EQ(layer.norms, NormPlacement::after_block);
        EXPECT_EQ(layer.head_norm, HeadNorm::joint);
        EXPECT_EQ(layer.window, 0u);
    }
    const partition::Share share = partition::even_share(model.h().sizes(), 1, 4);
    for (const VectorPlan& vector :
         plan_weights(model.file(), model.h(), share, *kernels::find_family("integer")).vectors) {
        if (vector.role == Role::query_norm) {
            EXPECT_EQ(vector.wanted, (Range{32, 64}));
        } else if (vector.role == Role::key_norm) {
            EXPECT_EQ(vector.wanted, (Range{0, 32}));
        }
    }
}

/// OLMo 3.
TEST(layer_spec, of_olmo2_with_a_window_has_it_in_three_of_four_layers_without_stretching) {
    TinyModel tiny{.architecture = "olmo2", .n_layers = 5, .window = 20};
    tiny.rope_scaling = support::RopeScaling::yarn;
    const ModelFile model(tiny);
    for (std::size_t layer = 0; layer < 5; ++layer) {
        const LayerSpec& spec = model.h().layers[layer];
        EXPECT_EQ(spec.window, layer == 3 ? 0u : 20u) << layer;
        EXPECT_EQ(model.h().ropes[spec.rope].factor, layer == 3 ? 4.0 : 1.0) << layer;
        EXPECT_EQ(model.h().ropes[spec.rope].base, 1e4);
    }
}

TEST(rope_factors, are_those_for_the_context_of_the_run) {
    const ModelFile file(TinyModel{.architecture = "phi3",
                                   .n_layers = 1,
                                   .context = 256,
                                   .rope_scaling = support::RopeScaling::longrope});
    Hyperparameters h = file.h();
    const auto share = partition::even_share(h.sizes(), 0, 1);
    const auto chosen = [&] {
        std::vector<Role> roles;
        for (const VectorPlan& vector :
             plan_weights(file.file(), h, share, *kernels::find_family("integer")).vectors)
            if (vector.role == Role::rope_factors_long || vector.role == Role::rope_factors_short)
                roles.push_back(vector.role);
        return roles;
    };
    EXPECT_EQ(chosen(), std::vector{Role::rope_factors_long}); // the model's own context
    choose_rope_factors(h, 64);                                // the original one
    EXPECT_EQ(chosen(), std::vector{Role::rope_factors_short});
    choose_rope_factors(h, 65);
    EXPECT_EQ(chosen(), std::vector{Role::rope_factors_long});
}

/// Of three ranks each one's rows of a tensor that holds three matrices.
TEST(fused_tensors, give_every_role_its_own_rows) {
    const ModelFile file(TinyModel{.architecture = "phi3",
                                   .n_layers = 1,
                                   .n_heads = 4,
                                   .n_kv_heads = 2,
                                   .head_dim = 16,
                                   .ffn = 160});
    const Hyperparameters& h = file.h();
    std::map<Role, std::set<std::size_t>> rows;
    for (int rank = 0; rank < 3; ++rank) {
        const auto share = partition::even_share(h.sizes(), rank, 3);
        for (const MatrixPlan& plan :
             plan_weights(file.file(), h, share, *kernels::find_family("integer")).matrices)
            for (std::size_t r = 0; r < plan.shape.n_rows; ++r)
                rows[plan.role].insert(plan.tensor_row(r));
    }
    const auto expect_rows = [&](Role role, std::size_t begin, std::size_t end) {
        EXPECT_EQ(rows[role].size(), end - begin);
        EXPECT_EQ(*rows[role].begin(), begin);
        EXPECT_EQ(*rows[role].rbegin() + 1, end);
    };
    expect_rows(Role::query, 0, 64);
    expect_rows(Role::key, 64, 96);
    expect_rows(Role::value, 96, 128);
    expect_rows(Role::gate, 0, 160);
    expect_rows(Role::up, 160, 320);
}

TEST(tensor_list, has_each_role_once_and_all_that_a_layer_must_have) {
    for (const Architecture* architecture : architectures()) {
        std::set<Role> required;
        for (const auto list : {architecture->model_tensors, architecture->layer_tensors}) {
            std::set<Role> roles;
            std::set<std::pair<std::string_view, std::size_t>> names;
            for (const TensorSpec& spec : list) {
                EXPECT_TRUE(names.insert({spec.name, spec.part}).second) << spec.name;
                if (spec.role == Role::ignored) continue;
                EXPECT_TRUE(roles.insert(spec.role).second) << spec.name;
                if (spec.presence == Presence::required) required.insert(spec.role);
            }
        }
        using enum Role;
        for (const Role role : {embedding, final_norm, query, key, value, attention_output})
            EXPECT_TRUE(required.contains(role))
                << architecture->name << " " << static_cast<int>(role);
        const auto has_all = [&](std::initializer_list<Role> roles) {
            return std::ranges::all_of(roles, [&](Role role) { return required.contains(role); });
        };
        EXPECT_TRUE(has_all({attention_norm, feed_forward_norm}) ||
                    has_all({attention_post_norm, feed_forward_post_norm}))
            << architecture->name;
        EXPECT_TRUE(has_all({gate, up, down}) ||
                    has_all({router, expert_gate, expert_up, expert_down}))
            << architecture->name;
    }
}

TEST(tensor_list, names_places_that_the_weights_have) {
    for (const Architecture* architecture : architectures())
        for (const TensorSpec& spec : architecture->layer_tensors) {
            if (spec.role == Role::ignored) continue;
            const bool is_matrix = !spec.is_vector() && spec.matrices == Extent::one;
            EXPECT_EQ(layer_matrix(spec.role) != nullptr, is_matrix) << spec.name;
            EXPECT_EQ(layer_vector(spec.role) != nullptr, spec.is_vector()) << spec.name;
        }
}

} // namespace
} // namespace pillar::model
