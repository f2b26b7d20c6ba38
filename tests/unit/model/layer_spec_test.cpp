// What the layers of each architecture say that they compute, and that the lists of tensors have
// what every layer needs.

#include "pillar/model/architecture.hpp"
#include "pillar/model/weights.hpp"
#include "support/models/model_files.hpp"

#include <algorithm>
#include <gtest/gtest.h>
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

TEST(tensor_list, has_each_role_once_and_all_that_a_layer_must_have) {
    for (const Architecture* architecture : architectures()) {
        std::set<Role> required;
        for (const auto list : {architecture->model_tensors, architecture->layer_tensors}) {
            std::set<Role> roles;
            std::set<std::string_view> names;
            for (const TensorSpec& spec : list) {
                EXPECT_TRUE(names.insert(spec.name).second) << spec.name;
                if (spec.role == Role::ignored) continue;
                EXPECT_TRUE(roles.insert(spec.role).second) << spec.name;
                if (spec.presence == Presence::required) required.insert(spec.role);
            }
        }
        using enum Role;
        for (const Role role : {embedding, final_norm, attention_norm, query, key, value,
                                attention_output, feed_forward_norm})
            EXPECT_TRUE(required.contains(role))
                << architecture->name << " " << static_cast<int>(role);
        const auto has_all = [&](std::initializer_list<Role> roles) {
            return std::ranges::all_of(roles, [&](Role role) { return required.contains(role); });
        };
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
