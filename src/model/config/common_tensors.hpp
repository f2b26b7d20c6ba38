#pragma once
// Tensors that most architectures have under the same names, for their lists: joined(…) puts lists
// together, so that an architecture's file shows what differs.

#include "pillar/model/tensors.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace pillar::model {

template <std::size_t... n>
constexpr auto joined(const std::array<TensorSpec, n>&... lists) {
    std::array<TensorSpec, (n + ...)> all{};
    auto to = all.begin();
    ((to = std::copy(lists.begin(), lists.end(), to)), ...);
    return all;
}

/// Those that stand once.
constexpr std::array common_model_tensors{
    TensorSpec{Role::embedding, "token_embd.weight", Presence::required, Extent::dim,
               Extent::vocabulary},
    TensorSpec{Role::final_norm, "output_norm.weight", Presence::required, Extent::dim},
    TensorSpec{Role::output, "output.weight", Presence::optional, Extent::dim, Extent::vocabulary},
};

/// Rotary factors that depend on how long a context the run wants.
inline constexpr std::array long_rope_factors{
    TensorSpec{Role::rope_factors_long, "rope_factors_long.weight", Presence::optional,
               Extent::rope_pairs},
    TensorSpec{Role::rope_factors_short, "rope_factors_short.weight", Presence::optional,
               Extent::rope_pairs},
};

/// Matrices of one tensor.
inline constexpr std::array query_key_value_rows{Extent::queries, Extent::keys, Extent::keys};
inline constexpr std::array gate_and_up_rows{Extent::hidden, Extent::hidden};

/// Queries, keys, values as three matrices, and the output projection.
constexpr auto attention_tensors(RowOrder order) {
    using enum Presence;
    return std::array{
        TensorSpec{Role::query, "attn_q.weight", required, Extent::dim, Extent::queries, order},
        TensorSpec{Role::key, "attn_k.weight", required, Extent::dim, Extent::keys, order},
        TensorSpec{Role::value, "attn_v.weight", required, Extent::dim, Extent::keys},
        TensorSpec{Role::attention_output, "attn_output.weight", required, Extent::queries,
                   Extent::dim},
    };
}

/// The same with queries, keys and values in one matrix.
constexpr auto fused_attention_tensors(RowOrder order) {
    using enum Presence;
    constexpr std::string_view fused = "attn_qkv.weight";
    return std::array{
        TensorSpec{Role::query, fused, required, Extent::dim, Extent::queries, order,
                   query_key_value_rows, 0},
        TensorSpec{Role::key, fused, required, Extent::dim, Extent::keys, order,
                   query_key_value_rows, 1},
        TensorSpec{Role::value, fused, required, Extent::dim, Extent::keys, RowOrder::as_in_file,
                   query_key_value_rows, 2},
        TensorSpec{Role::attention_output, "attn_output.weight", required, Extent::queries,
                   Extent::dim},
    };
}

constexpr auto query_key_value_biases(Presence presence, RowOrder order) {
    return std::array{
        TensorSpec{Role::query_bias, "attn_q.bias", presence, Extent::queries, Extent::one, order},
        TensorSpec{Role::key_bias, "attn_k.bias", presence, Extent::keys, Extent::one, order},
        TensorSpec{Role::value_bias, "attn_v.bias", presence, Extent::keys},
    };
}

/// Norms of each query and key head.
constexpr auto head_norms(RowOrder order) {
    using enum Presence;
    return std::array{
        TensorSpec{Role::query_norm, "attn_q_norm.weight", required, Extent::head, Extent::one,
                   order},
        TensorSpec{Role::key_norm, "attn_k_norm.weight", required, Extent::head, Extent::one,
                   order},
    };
}

/// Norms of all query heads together, and of all key heads.
constexpr auto joint_head_norms(RowOrder order) {
    using enum Presence;
    return std::array{
        TensorSpec{Role::query_norm, "attn_q_norm.weight", required, Extent::queries, Extent::one,
                   order},
        TensorSpec{Role::key_norm, "attn_k_norm.weight", required, Extent::keys, Extent::one,
                   order},
    };
}

/// The norms before attention and before the feed-forward block.
constexpr std::array norms_before_blocks{
    TensorSpec{Role::attention_norm, "attn_norm.weight", Presence::required, Extent::dim},
    TensorSpec{Role::feed_forward_norm, "ffn_norm.weight", Presence::required, Extent::dim},
};

/// Norms before both blocks and of what they add.
constexpr std::array norms_around_blocks{
    TensorSpec{Role::attention_norm, "attn_norm.weight", Presence::required, Extent::dim},
    TensorSpec{Role::attention_post_norm, "post_attention_norm.weight", Presence::required,
               Extent::dim},
    TensorSpec{Role::feed_forward_norm, "ffn_norm.weight", Presence::required, Extent::dim},
    TensorSpec{Role::feed_forward_post_norm, "post_ffw_norm.weight", Presence::required,
               Extent::dim},
};

/// Norms of what both blocks add.
inline constexpr std::array norms_after_blocks{
    TensorSpec{Role::attention_post_norm, "post_attention_norm.weight", Presence::required,
               Extent::dim},
    TensorSpec{Role::feed_forward_post_norm, "post_ffw_norm.weight", Presence::required,
               Extent::dim},
};

/// A gated feed-forward block of three matrices.
constexpr std::array gated_feed_forward{
    TensorSpec{Role::gate, "ffn_gate.weight", Presence::required, Extent::dim, Extent::hidden},
    TensorSpec{Role::up, "ffn_up.weight", Presence::required, Extent::dim, Extent::hidden},
    TensorSpec{Role::down, "ffn_down.weight", Presence::required, Extent::hidden, Extent::dim},
};

/// The same with gate and up in one matrix.
constexpr std::array fused_feed_forward{
    TensorSpec{Role::gate, "ffn_up.weight", Presence::required, Extent::dim, Extent::hidden,
               RowOrder::as_in_file, gate_and_up_rows, 0},
    TensorSpec{Role::up, "ffn_up.weight", Presence::required, Extent::dim, Extent::hidden,
               RowOrder::as_in_file, gate_and_up_rows, 1},
    TensorSpec{Role::down, "ffn_down.weight", Presence::required, Extent::hidden, Extent::dim},
};

/// The same of many, of which a router chooses a few for each row: a tensor holds the matrices of
/// all experts one after another.
constexpr std::array expert_feed_forward{
    TensorSpec{Role::router, "ffn_gate_inp.weight", Presence::required, Extent::dim,
               Extent::experts},
    TensorSpec{Role::expert_gate,
               "ffn_gate_exps.weight",
               Presence::required,
               Extent::dim,
               Extent::hidden,
               RowOrder::as_in_file,
               {},
               0,
               Extent::experts},
    TensorSpec{Role::expert_up,
               "ffn_up_exps.weight",
               Presence::required,
               Extent::dim,
               Extent::hidden,
               RowOrder::as_in_file,
               {},
               0,
               Extent::experts},
    TensorSpec{Role::expert_down,
               "ffn_down_exps.weight",
               Presence::required,
               Extent::hidden,
               Extent::dim,
               RowOrder::as_in_file,
               {},
               0,
               Extent::experts},
};

constexpr std::array expert_biases{
    TensorSpec{Role::router_bias, "ffn_gate_inp.bias", Presence::required, Extent::experts},
    TensorSpec{Role::expert_gate_bias,
               "ffn_gate_exps.bias",
               Presence::required,
               Extent::hidden,
               Extent::one,
               RowOrder::as_in_file,
               {},
               0,
               Extent::experts},
    TensorSpec{Role::expert_up_bias,
               "ffn_up_exps.bias",
               Presence::required,
               Extent::hidden,
               Extent::one,
               RowOrder::as_in_file,
               {},
               0,
               Extent::experts},
    TensorSpec{Role::expert_down_bias,
               "ffn_down_exps.bias",
               Presence::required,
               Extent::dim,
               Extent::one,
               RowOrder::as_in_file,
               {},
               0,
               Extent::experts},
};

} // namespace pillar::model
