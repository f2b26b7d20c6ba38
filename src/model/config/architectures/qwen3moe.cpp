// "qwen3moe": the mixtures of experts of Qwen3 (30B-A3B, 235B-A22B). Qwen3 whose feed-forward is a
// few of many experts in every layer.

#include "config/common_tensors.hpp"
#include "config/experts.hpp"

#include "pillar/model/architecture.hpp"

namespace pillar::model {

namespace {

constexpr RowOrder order = RowOrder::half_pairs;

void read(const gguf::File& file, Hyperparameters& h) {
    read_experts(file, h, 1);
}

constexpr auto layer_tensors =
    joined(norms_before_blocks, attention_tensors(order), head_norms(order), expert_feed_forward);

} // namespace

extern const Architecture qwen3moe_architecture{"qwen3moe",           read,          pre_norm_layer,
                                                common_model_tensors, layer_tensors, expert_keys};

} // namespace pillar::model
