// "llama": Llama 1–3.x, TinyLlama, Mistral, SmolLM2 and what else converts to this name. Everything
// it needs is shared with other architectures; only its mixture-of-experts variant (Mixtral) is
// told apart here.

#include "pillar/gguf/value.hpp"
#include "pillar/model/architecture.hpp"

#include <cmath>

namespace pillar::model {

namespace {

void read_llama(const gguf::File& file, Hyperparameters& /*h*/) {
    const auto n_experts = file.metadata().integer("llama.expert_count", 0, UINT32_MAX);
    if (n_experts.value_or(0) > 0)
        throw file.metadata().error("llama.expert_count",
                                    "mixtures of experts are not supported; use a dense model");
}

LayerSpec llama_layer(const Hyperparameters& h, std::size_t /*layer*/) {
    const double scale = 1.0 / std::sqrt(static_cast<double>(h.head_dim));
    return {.norms = NormPlacement::before_block,
            .feed_forward = FeedForward::gated,
            .activation = Activation::silu,
            .attention_scale = static_cast<float>(scale),
            .rope = 0};
}

using enum Presence;

constexpr TensorSpec model_tensors[] = {
    {Role::embedding, "token_embd.weight", required, Extent::dim, Extent::vocabulary},
    {Role::final_norm, "output_norm.weight", required, Extent::dim},
    {Role::output, "output.weight", optional, Extent::dim, Extent::vocabulary},
    {Role::rope_factors, "rope_freqs.weight", optional, Extent::rope_pairs},
};

constexpr TensorSpec layer_tensors[] = {
    {Role::attention_norm, "attn_norm.weight", required, Extent::dim},
    {Role::query, "attn_q.weight", required, Extent::dim, Extent::queries},
    {Role::key, "attn_k.weight", required, Extent::dim, Extent::keys},
    {Role::value, "attn_v.weight", required, Extent::dim, Extent::keys},
    {Role::attention_output, "attn_output.weight", required, Extent::queries, Extent::dim},
    {Role::feed_forward_norm, "ffn_norm.weight", required, Extent::dim},
    {Role::gate, "ffn_gate.weight", required, Extent::dim, Extent::hidden},
    {Role::up, "ffn_up.weight", required, Extent::dim, Extent::hidden},
    {Role::down, "ffn_down.weight", required, Extent::hidden, Extent::dim},
    {Role::query_bias, "attn_q.bias", optional, Extent::queries},
    {Role::key_bias, "attn_k.bias", optional, Extent::keys},
    {Role::value_bias, "attn_v.bias", optional, Extent::keys},
    {Role::attention_output_bias, "attn_output.bias", optional, Extent::dim},
    {Role::gate_bias, "ffn_gate.bias", optional, Extent::hidden},
    {Role::up_bias, "ffn_up.bias", optional, Extent::hidden},
    {Role::down_bias, "ffn_down.bias", optional, Extent::dim},
    // The plain rotation's frequencies, which the first converters did not leave out.
    {Role::ignored, "attn_rot_embd", optional},
    {Role::ignored, "attn_rot_embd.weight", optional},
};

} // namespace

extern const Architecture llama_architecture{"llama", read_llama, llama_layer, model_tensors,
                                             layer_tensors};

} // namespace pillar::model
