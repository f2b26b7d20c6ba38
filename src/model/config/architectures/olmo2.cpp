// "olmo2": OLMo 2, 1B to 32B, and OLMo 3. Norms of what a block adds and none before it; norms of
// the queries and of the keys of all heads together, before the rotation; rotary pairs in two
// halves. In OLMo 3 three of four layers attend within a window, with the rotation of the first
// training.

#include "config/common_tensors.hpp"
#include "config/keys.hpp"
#include "config/windows.hpp"

#include "pillar/model/architecture.hpp"

namespace pillar::model {

namespace {

constexpr RowOrder order = RowOrder::half_pairs;
constexpr auto layer_tensors = joined(norms_after_blocks, attention_tensors(order),
                                      joint_head_norms(order), gated_feed_forward);
constexpr std::string_view window_key = "attention.sliding_window";
constexpr std::string_view pattern_key = "attention.sliding_window_pattern";
constexpr std::string_view keys[] = {window_key, pattern_key};
constexpr std::size_t window_period = 4;
enum Table : std::size_t { everywhere, in_window }; ///< of Hyperparameters::ropes

/// A list that says of each layer whether it has a window says what `layer_spec` computes.
void expect_pattern(const Keys& own, std::size_t n_layers) {
    const gguf::Value* value = own.metadata().find(own.key(pattern_key));
    if (value == nullptr) return;
    const auto* array = std::get_if<gguf::Array>(&value->value);
    const auto* says = array == nullptr ? nullptr : std::get_if<std::vector<bool>>(&array->values);
    bool is_known = says != nullptr && says->size() == n_layers;
    for (std::size_t layer = 0; is_known && layer < n_layers; ++layer)
        is_known = (*says)[layer] == has_window(layer, window_period);
    if (!is_known)
        throw own.error(pattern_key, "windows are computed in three of every four layers alone");
}

void read(const gguf::File& file, Hyperparameters& h) {
    const Keys own(file, "olmo2");
    h.window = own.optional(window_key, 1, max_context, 0);
    if (h.window == 0) return;
    expect_pattern(own, h.n_layers);
    h.window_period = window_period;
    // What stretches a context beyond the one of training is for layers that see all of it.
    h.ropes.push_back({.n_dims = h.ropes[everywhere].n_dims, .base = h.ropes[everywhere].base});
}

LayerSpec layer_spec(const Hyperparameters& h, std::size_t layer) {
    LayerSpec spec = pre_norm_layer(h, layer);
    spec.norms = NormPlacement::after_block;
    spec.head_norm = HeadNorm::joint;
    if (h.window > 0 && has_window(layer, h.window_period)) {
        spec.window = h.window;
        spec.rope = in_window;
    }
    return spec;
}

} // namespace

extern const Architecture olmo2_architecture{"olmo2",       read, layer_spec, common_model_tensors,
                                             layer_tensors, keys};

} // namespace pillar::model
