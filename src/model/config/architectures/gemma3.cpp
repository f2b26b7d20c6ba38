// "gemma3": the text models of Gemma 3, 270M to 27B. Four norms a layer, of which two are of what a
// block adds; gelu; a scaled embedding; norms of heads; and of every six layers five that attend
// within a window, with a rotation of their own.

#include "config/common_tensors.hpp"
#include "config/keys.hpp"
#include "config/windows.hpp"

#include "pillar/model/architecture.hpp"

#include <cmath>

namespace pillar::model {

namespace {

constexpr RowOrder order = RowOrder::half_pairs;
constexpr auto layer_tensors =
    joined(norms_around_blocks, attention_tensors(order), head_norms(order), gated_feed_forward);
constexpr std::string_view keys[] = {window_key, window_pattern_key, window_base_key};
constexpr std::size_t layers_of_27b = 62;

void read(const gguf::File& file, Hyperparameters& h) {
    const Keys own(file, "gemma3");
    h.window = own.required(window_key, 1, max_context);
    read_windowed_layers(own, 6, h);
    h.embedding_scale = std::sqrt(static_cast<float>(h.dim));
    // What stretches a context beyond the one of training is for layers that see all of it.
    add_window_rope(own, {.n_dims = h.ropes.front().n_dims, .base = 10'000.0}, h);
}

/// Scores are divided by the root of a head's width; in the largest model of what a head would have
/// if the heads shared the residual's.
LayerSpec layer_spec(const Hyperparameters& h, std::size_t layer) {
    const std::size_t width = h.n_layers == layers_of_27b ? h.dim / h.n_heads : h.head_dim;
    LayerSpec spec{.norms = NormPlacement::around_block,
                   .activation = Activation::gelu_tanh,
                   .attention_scale = inverse_root(width)};
    set_window(h, layer, spec);
    return spec;
}

} // namespace

extern const Architecture gemma3_architecture{"gemma3",      read, layer_spec, common_model_tensors,
                                              layer_tensors, keys};

} // namespace pillar::model
