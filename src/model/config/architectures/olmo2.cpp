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
constexpr std::string_view keys[] = {window_key, window_pattern_key, window_base_key};

void read(const gguf::File& file, Hyperparameters& h) {
    const Keys own(file, "olmo2");
    h.window = own.optional(window_key, 1, max_context, 0);
    if (h.window == 0) return;
    read_windowed_layers(own, 4, h);
    // What stretches a context beyond the one of training is for layers that see all of it.
    const Rope& rope = h.ropes.front();
    add_window_rope(own, {.n_dims = rope.n_dims, .base = rope.base}, h);
}

LayerSpec layer_spec(const Hyperparameters& h, std::size_t layer) {
    LayerSpec spec = pre_norm_layer(h, layer);
    spec.norms = NormPlacement::after_block;
    spec.head_norm = HeadNorm::joint;
    if (h.window > 0) set_window(h, layer, spec);
    return spec;
}

} // namespace

extern const Architecture olmo2_architecture{"olmo2",       read, layer_spec, common_model_tensors,
                                             layer_tensors, keys};

} // namespace pillar::model
