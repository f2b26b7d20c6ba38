// "qwen3": the dense models of Qwen3, and Bonsai. Llama with a norm of each query and key head
// before the rotation, a head width of its own, and rotary pairs in two halves.

#include "config/common_tensors.hpp"

#include "pillar/model/architecture.hpp"

namespace pillar::model {

namespace {

constexpr RowOrder order = RowOrder::half_pairs;
constexpr auto layer_tensors =
    joined(norms_before_blocks, attention_tensors(order), head_norms(order), gated_feed_forward);

} // namespace

extern const Architecture qwen3_architecture{"qwen3", nothing_special, pre_norm_layer,
                                             common_model_tensors, layer_tensors};

} // namespace pillar::model
