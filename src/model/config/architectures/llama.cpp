// "llama": Llama 1–3.x, TinyLlama, Mistral, SmolLM2 and what else converts to this name. Everything
// it needs is shared with other architectures; only its mixture-of-experts variant (Mixtral) is
// told apart here.

#include "architectures.hpp"

namespace pillar::model {

namespace {

void read_llama(const gguf::File& file, Hyperparameters& /*h*/) {
    const auto n_experts = file.metadata().integer("llama.expert_count", 0, UINT32_MAX);
    if (n_experts.value_or(0) > 0)
        throw file.metadata().error("llama.expert_count",
                                    "mixtures of experts are not supported; use a dense model");
}

constexpr TensorRule model_tensors[] = {
    {"token_embd.weight", Presence::required, Extent::dim, Extent::vocabulary},
    {"output_norm.weight", Presence::required, Extent::dim},
    {"output.weight", Presence::optional, Extent::dim, Extent::vocabulary}, // or tied
    {"rope_freqs.weight", Presence::optional, Extent::rope_pairs},
};

constexpr TensorRule layer_tensors[] = {
    {"attn_norm.weight", Presence::required, Extent::dim},
    {"attn_q.weight", Presence::required, Extent::dim, Extent::queries},
    {"attn_k.weight", Presence::required, Extent::dim, Extent::keys},
    {"attn_v.weight", Presence::required, Extent::dim, Extent::keys},
    {"attn_output.weight", Presence::required, Extent::queries, Extent::dim},
    {"ffn_norm.weight", Presence::required, Extent::dim},
    {"ffn_gate.weight", Presence::required, Extent::dim, Extent::hidden},
    {"ffn_up.weight", Presence::required, Extent::dim, Extent::hidden},
    {"ffn_down.weight", Presence::required, Extent::hidden, Extent::dim},
    {"attn_q.bias", Presence::optional, Extent::queries},
    {"attn_k.bias", Presence::optional, Extent::keys},
    {"attn_v.bias", Presence::optional, Extent::keys},
    {"attn_output.bias", Presence::optional, Extent::dim},
    {"ffn_gate.bias", Presence::optional, Extent::hidden},
    {"ffn_up.bias", Presence::optional, Extent::hidden},
    {"ffn_down.bias", Presence::optional, Extent::dim},
    // The plain rotation's frequencies, which the first converters did not leave out.
    {"attn_rot_embd", Presence::ignored},
    {"attn_rot_embd.weight", Presence::ignored},
};

} // namespace

const Architecture llama_architecture{"llama", read_llama, model_tensors, layer_tensors};

} // namespace pillar::model
