// "granite": the dense models of Granite 3 and 4. Llama with factors on the embedding, on what a
// block adds, on the scores and on the logits; some have no rotation. Granite 4 is converted as one
// of a family with state spaces and an expert that every token goes through: its dense models have
// that expert as their feed-forward, and keys of what they do not have.

#include "config/common_tensors.hpp"
#include "config/keys.hpp"

#include "pillar/model/architecture.hpp"

namespace pillar::model {

namespace {

constexpr RowOrder order = RowOrder::as_in_file;
constexpr std::array own_model_tensors{
    TensorSpec{Role::rope_factors, "rope_freqs.weight", Presence::optional, Extent::rope_pairs},
};
constexpr std::array own_layer_tensors{
    TensorSpec{Role::attention_output_bias, "attn_output.bias", Presence::optional, Extent::dim},
    TensorSpec{Role::gate_bias, "ffn_gate.bias", Presence::optional, Extent::hidden},
    TensorSpec{Role::up_bias, "ffn_up.bias", Presence::optional, Extent::hidden},
    TensorSpec{Role::down_bias, "ffn_down.bias", Presence::optional, Extent::dim},
};
constexpr auto model_tensors = joined(common_model_tensors, own_model_tensors, long_rope_factors);
constexpr auto layer_tensors = joined(norms_before_blocks, attention_tensors(order),
                                      query_key_value_biases(Presence::optional, order),
                                      gated_feed_forward, own_layer_tensors);
constexpr std::string_view keys[] = {"attention.scale",
                                     "embedding_scale",
                                     "logit_scale",
                                     "residual_scale",
                                     "ssm.conv_kernel",
                                     "ssm.state_size",
                                     "expert_shared_feed_forward_length"};

/// 0 stands for "as llama has it", as in llama.cpp's files; logits are divided by their scale.
void read(const gguf::File& file, Hyperparameters& h) {
    const Keys own(file, "granite");
    const auto factor = [&](std::string_view name) {
        const double value = own.not_negative(name, 0.0);
        return value == 0.0 ? 1.0f : static_cast<float>(value);
    };
    h.embedding_scale = factor("embedding_scale");
    h.residual_scale = factor("residual_scale");
    h.score_scale = static_cast<float>(own.not_negative("attention.scale", 0.0));
    if (file.metadata().find(own.key("logit_scale")) == nullptr)
        throw own.error("logit_scale", "the key is missing; the file is not a complete model");
    h.logit_scale = static_cast<float>(1.0 / own.positive("logit_scale", 1.0));
    if (!file.metadata().boolean(own.key("rope.scaling.finetuned")).value_or(true))
        h.ropes.front().n_dims = 0;
}

LayerSpec layer_spec(const Hyperparameters& h, std::size_t layer) {
    LayerSpec spec = pre_norm_layer(h, layer);
    if (h.score_scale > 0) spec.attention_scale = h.score_scale;
    return spec;
}

} // namespace

extern const Architecture granite_architecture{"granite",     read,          layer_spec,
                                               model_tensors, layer_tensors, keys};

} // namespace pillar::model
