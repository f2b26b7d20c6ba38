// "llama": Llama 1–3.x, TinyLlama, Mistral, SmolLM2 and what else converts to this name. Everything
// it needs is shared with other architectures. Mixtral is one too: with a number of experts the
// feed-forward is a few of them.

#include "config/common_tensors.hpp"
#include "config/experts.hpp"

#include "pillar/gguf/value.hpp"
#include "pillar/model/architecture.hpp"

namespace pillar::model {

namespace {

constexpr RowOrder order = RowOrder::as_in_file;

void read(const gguf::File& file, Hyperparameters& h) {
    read_experts(file, h, 0);
}

constexpr std::array own_model_tensors{
    TensorSpec{Role::rope_factors, "rope_freqs.weight", Presence::optional, Extent::rope_pairs},
};

constexpr std::array own_layer_tensors{
    TensorSpec{Role::attention_output_bias, "attn_output.bias", Presence::optional, Extent::dim},
    TensorSpec{Role::gate_bias, "ffn_gate.bias", Presence::optional, Extent::hidden},
    TensorSpec{Role::up_bias, "ffn_up.bias", Presence::optional, Extent::hidden},
    TensorSpec{Role::down_bias, "ffn_down.bias", Presence::optional, Extent::dim},
    // The plain rotation's frequencies, which the first converters did not leave out.
    TensorSpec{Role::ignored, "attn_rot_embd", Presence::optional},
    TensorSpec{Role::ignored, "attn_rot_embd.weight", Presence::optional},
};

constexpr auto model_tensors = joined(common_model_tensors, own_model_tensors, long_rope_factors);
constexpr auto layer_tensors = joined(norms_before_blocks, attention_tensors(order),
                                      query_key_value_biases(Presence::optional, order),
                                      gated_feed_forward, expert_feed_forward, own_layer_tensors);

} // namespace

extern const Architecture llama_architecture{"llama",       read,          pre_norm_layer,
                                             model_tensors, layer_tensors, expert_keys};

} // namespace pillar::model
