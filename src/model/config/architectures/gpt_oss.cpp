// "gpt-oss": OpenAI's open mixtures of experts (20b, 120b). Biases everywhere, a sink in the
// softmax of each head, a clamped gate, and of every two layers the first attends within a window.

#include "config/common_tensors.hpp"
#include "config/experts.hpp"
#include "config/keys.hpp"
#include "config/windows.hpp"

#include "pillar/model/architecture.hpp"

namespace pillar::model {

namespace {

constexpr RowOrder order = RowOrder::half_pairs;

constexpr std::array keys{expert_keys[0], expert_keys[1], window_key, window_pattern_key,
                          window_base_key};

void read(const gguf::File& file, Hyperparameters& h) {
    read_experts(file, h, 1);
    const Keys own(file, "gpt-oss");
    h.window = own.optional(window_key, 1, max_context, 0);
    read_windowed_layers(own, 2, h);
    add_window_rope(own, h.ropes.front(), h);
}

LayerSpec layer(const Hyperparameters& h, std::size_t number) {
    LayerSpec spec = pre_norm_layer(h, number);
    spec.activation = Activation::silu_clamped;
    set_window(h, number, spec);
    return spec;
}

constexpr std::array own_layer_tensors{
    TensorSpec{Role::attention_norm, "attn_norm.weight", Presence::required, Extent::dim},
    TensorSpec{Role::feed_forward_norm, "post_attention_norm.weight", Presence::required,
               Extent::dim},
    TensorSpec{Role::attention_output_bias, "attn_output.bias", Presence::required, Extent::dim},
    TensorSpec{Role::sinks, "attn_sinks.weight", Presence::required, Extent::heads},
};

constexpr auto layer_tensors =
    joined(attention_tensors(order), query_key_value_biases(Presence::required, order),
           own_layer_tensors, expert_feed_forward, expert_biases);

} // namespace

extern const Architecture gpt_oss_architecture{"gpt-oss",     read, layer, common_model_tensors,
                                               layer_tensors, keys};

} // namespace pillar::model
