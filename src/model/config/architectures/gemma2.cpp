// "gemma2": Gemma 2, 2B to 27B. Norms around the blocks, gelu and a scaled embedding as in gemma3;
// soft caps on scores and logits, and a window in every other layer.

#include "config/common_tensors.hpp"
#include "config/keys.hpp"
#include "config/windows.hpp"

#include "pillar/model/architecture.hpp"

#include <cmath>

namespace pillar::model {

namespace {

constexpr RowOrder order = RowOrder::half_pairs;
constexpr auto layer_tensors =
    joined(norms_around_blocks, attention_tensors(order), gated_feed_forward);
constexpr std::string_view keys[] = {window_key, window_pattern_key, window_base_key,
                                     "attn_logit_softcapping", "final_logit_softcapping"};
constexpr std::size_t layers_of_27b = 46;

void read(const gguf::File& file, Hyperparameters& h) {
    const Keys own(file, "gemma2");
    // As the first converters left it to readers to know.
    h.window = own.optional(window_key, 1, max_context, 4096);
    read_windowed_layers(own, 2, h);
    add_window_rope(own, h.ropes.front(), h);
    h.embedding_scale = std::sqrt(static_cast<float>(h.dim));
    h.score_cap = static_cast<float>(own.not_negative("attn_logit_softcapping", 50.0));
    h.logit_cap = static_cast<float>(own.not_negative("final_logit_softcapping", 30.0));
}

/// Scores are divided by the root of a head's width, as in gemma3.
LayerSpec layer_spec(const Hyperparameters& h, std::size_t layer) {
    const std::size_t width = h.n_layers == layers_of_27b ? h.dim / h.n_heads : h.head_dim;
    LayerSpec spec{.norms = NormPlacement::around_block,
                   .activation = Activation::gelu_tanh,
                   .attention_scale = inverse_root(width),
                   .score_cap = h.score_cap};
    set_window(h, layer, spec);
    return spec;
}

} // namespace

extern const Architecture gemma2_architecture{"gemma2",      read, layer_spec, common_model_tensors,
                                              layer_tensors, keys};

} // namespace pillar::model
