// "mistral3": Ministral 3 and what else Mistral converts to this name. Llama whose queries grow
// with the logarithm of the position beyond the original context, and a YaRN whose magnitude is
// divided out again; the mixture of experts of that name is refused.

#include "config/common_tensors.hpp"
#include "config/keys.hpp"

#include "pillar/model/architecture.hpp"

namespace pillar::model {

namespace {

constexpr RowOrder order = RowOrder::as_in_file;
constexpr std::array own_model_tensors{
    TensorSpec{Role::rope_factors, "rope_freqs.weight", Presence::optional, Extent::rope_pairs},
};
constexpr auto model_tensors = joined(common_model_tensors, own_model_tensors);
constexpr auto layer_tensors =
    joined(norms_before_blocks, attention_tensors(order),
           query_key_value_biases(Presence::optional, order), gated_feed_forward);
constexpr std::string_view keys[] = {"attention.scale", "attention.temperature_scale",
                                     "attention.temperature_length",
                                     "rope.scaling.yarn_log_multiplier"};

void read(const gguf::File& file, Hyperparameters& h) {
    const Keys own(file, "mistral3");
    h.score_scale = static_cast<float>(own.not_negative("attention.scale", 0.0));
    h.temperature_scale = own.not_negative("attention.temperature_scale", 0.0);
    h.temperature_length = own.optional("attention.temperature_length", 1, max_context,
                                        static_cast<std::size_t>(h.ropes.front().original_context));
}

LayerSpec layer_spec(const Hyperparameters& h, std::size_t layer) {
    LayerSpec spec = pre_norm_layer(h, layer);
    if (h.score_scale > 0) spec.attention_scale = h.score_scale;
    return spec;
}

} // namespace

extern const Architecture mistral3_architecture{"mistral3",    read,          layer_spec,
                                                model_tensors, layer_tensors, keys};

} // namespace pillar::model
