// "olmo2": OLMo 2, 1B to 32B. Norms of what a block adds and none before it; norms of the queries and
// of the keys of all heads together, before the rotation; rotary pairs in two halves.

#include "config/common_tensors.hpp"

#include "pillar/model/architecture.hpp"

namespace pillar::model {

namespace {

constexpr RowOrder order = RowOrder::half_pairs;
constexpr auto layer_tensors =
    joined(norms_after_blocks, attention_tensors(order), joint_head_norms(order), gated_feed_forward);

LayerSpec layer_spec(const Hyperparameters& h, std::size_t layer) {
    LayerSpec spec = pre_norm_layer(h, layer);
    spec.norms = NormPlacement::after_block;
    spec.head_norm = HeadNorm::joint;
    return spec;
}

} // namespace

extern const Architecture olmo2_architecture{"olmo2", nothing_special, layer_spec,
                                             common_model_tensors, layer_tensors};

} // namespace pillar::model
