#include "special_keys.hpp"

#include "pillar/gguf/value.hpp"

#include <algorithm>
#include <fmt/core.h>
#include <variant>

namespace pillar::model {

namespace {

/// A key without its architecture, the number with which it changes nothing, what it asks for.
struct SpecialKey {
    std::string_view name;
    double neutral;
    std::string_view what;
};

constexpr double no_number = -1e300; ///< the key's presence says it all

constexpr SpecialKey special_keys[] = {
    {"expert_count", 0, "a mixture of experts"},
    {"expert_used_count", 0, "a mixture of experts"},
    {"expert_shared_count", 0, "an expert that every token goes through"},
    {"expert_shared_feed_forward_length", 0, "an expert that every token goes through"},
    {"expert_gating_func", 1, "a gating function of its own"}, // 1: softmax
    {"expert_group_count", 0, "groups of experts"},
    {"expert_weights_norm", 1, "weights of experts that do not add up to 1"},
    {"expert_weights_scale", 1, "a factor on the experts' weights"},
    {"leading_dense_block_count", 0, "layers without experts before those with"},
    {"nextn_predict_layers", 0, "layers that predict several tokens"},
    {"attention.sliding_window", 0, "attention within a window"},
    {"attention.sliding_window_pattern", no_number, "attention within a window"},
    {"rope.freq_base_swa", no_number, "a rotation of its own within windows"},
    {"rope.dimension_count_swa", no_number, "a rotation of its own within windows"},
    {"attention.key_length_swa", no_number, "heads of another width within windows"},
    {"attention.value_length_swa", no_number, "heads of another width within windows"},
    {"attention.scale", 0, "a scale of attention of its own"},
    {"attention.clamp_kqv", 0, "clamped queries, keys and values"},
    {"attention.max_alibi_bias", 0, "ALiBi"},
    {"attention.layer_norm_epsilon", no_number, "norms that subtract the mean"},
    {"attention.group_norm_epsilon", no_number, "norms of groups"},
    {"attention.causal", 1, "attention to later positions"},
    {"attention.temperature_length", 0, "attention that changes with the position"},
    {"attention.temperature_scale", 0, "attention that changes with the position"},
    {"attention.q_lora_rank", 0, "latent attention"},
    {"attention.kv_lora_rank", 0, "latent attention"},
    {"attention.shared_kv_layers", 0, "layers that share keys and values"},
    {"attn_logit_softcapping", 0, "capped attention scores"},
    {"final_logit_softcapping", 0, "capped logits"},
    {"router_logit_softcapping", 0, "capped scores of a router"},
    {"logit_scale", 1, "a factor on the logits"},
    {"residual_scale", 1, "a factor on the residual"},
    {"embedding_scale", 1, "a factor on the embedding"},
    {"embedding_length_per_layer_input", 0, "an embedding for each layer"},
    {"use_parallel_residual", 0, "attention and feed-forward side by side"},
    {"rope.dimension_sections", no_number, "a rotation in sections"},
    {"rope.scaling.yarn_log_multiplier", 0, "another magnitude of YaRN"},
    {"ssm.state_size", 0, "a state space"},
    {"ssm.conv_kernel", 0, "a state space"},
    {"shortconv.l_cache", 0, "short convolutions"},
    {"wkv.head_size", 0, "a recurrent state"},
};

/// Whether the value is the number with which nothing changes.
bool is_neutral(const gguf::Value& value, double neutral) {
    return std::visit(
        [&](const auto& v) {
            if constexpr (std::is_arithmetic_v<std::decay_t<decltype(v)>>)
                return static_cast<double>(v) == neutral;
            else
                return false;
        },
        value.value);
}

} // namespace

void refuse_special_keys(const gguf::Metadata& metadata, const Hyperparameters& h) {
    const Architecture& architecture = *h.architecture;
    for (const SpecialKey& special : special_keys) {
        if (std::ranges::find(architecture.keys, special.name) != architecture.keys.end()) continue;
        const std::string key = fmt::format("{}.{}", architecture.name, special.name);
        const gguf::Value* value = metadata.find(key);
        if (value == nullptr || is_neutral(*value, special.neutral)) continue;
        throw metadata.error(key, fmt::format("the model asks for {}, which is not computed for "
                                              "the architecture \"{}\"; use another model",
                                              special.what, architecture.name));
    }
}

} // namespace pillar::model
