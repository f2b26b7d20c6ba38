// "qwen2": Qwen2 and Qwen2.5, and what is distilled into them (DeepSeek-R1). Llama with biases on
// queries, keys and values, and rotary pairs in two halves.

#include "config/common_tensors.hpp"

#include "pillar/model/architecture.hpp"

namespace pillar::model {

namespace {

constexpr RowOrder order = RowOrder::half_pairs;
constexpr auto layer_tensors =
    joined(norms_before_blocks, attention_tensors(order),
           query_key_value_biases(Presence::required, order), gated_feed_forward);

} // namespace

extern const Architecture qwen2_architecture{"qwen2", nothing_special, pre_norm_layer,
                                             common_model_tensors, layer_tensors};

} // namespace pillar::model
