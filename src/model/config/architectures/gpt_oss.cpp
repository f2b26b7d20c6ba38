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

constexpr std::string_view window_key = "attention.sliding_window";
constexpr std::array keys{expert_keys[0], expert_keys[1], window_key};

void read(const gguf::File& file, Hyperparameters& h) {
    read_experts(file, h, 1);
    h.window = Keys(file, "gpt-oss").optional(window_key, 1, max_context, 0);
    h.window_period = 2;
}

LayerSpec layer(const Hyperparameters& h, std::size_t number) {
    LayerSpec spec = pre_norm_layer(h, number);
    spec.activation = Activation::silu_clamped;
    spec.window = has_window(number, h.window_period) ? h.window : 0;
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
