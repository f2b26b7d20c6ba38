// "phi3": Phi-3, Phi-3.5-mini, Phi-4-mini and Phi-4. Llama with queries, keys and values in one
// tensor, gate and up in another, rotary pairs in two halves of a part of the head, and rotary
// factors that depend on how long a context the run wants.

#include "config/common_tensors.hpp"
#include "config/keys.hpp"
#include "config/windows.hpp"

#include "pillar/model/architecture.hpp"

namespace pillar::model {

namespace {

constexpr RowOrder order = RowOrder::half_pairs;
constexpr auto model_tensors = joined(common_model_tensors, long_rope_factors);
constexpr auto layer_tensors =
    joined(norms_before_blocks, fused_attention_tensors(order), fused_feed_forward);
constexpr std::string_view keys[] = {"attention.sliding_window"};

/// A window of 0 is one that the model does not have; one as long as the context hides nothing.
void read(const gguf::File& file, Hyperparameters& h) {
    const Keys own(file, "phi3");
    const std::size_t window = own.optional("attention.sliding_window", 0, max_context, 0);
    h.window = window < h.context_length ? window : 0;
}

LayerSpec layer_spec(const Hyperparameters& h, std::size_t layer) {
    LayerSpec spec = pre_norm_layer(h, layer);
    spec.window = h.window;
    return spec;
}

} // namespace

extern const Architecture phi3_architecture{"phi3",        read,          layer_spec,
                                            model_tensors, layer_tensors, keys};

} // namespace pillar::model
