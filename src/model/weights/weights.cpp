// Which member of the weights each role is.

#include "pillar/model/weights.hpp"

namespace pillar::model {

kernels::Matrix LayerWeights::*layer_matrix(Role role) noexcept {
    switch (role) {
    case Role::query:
        return &LayerWeights::query;
    case Role::key:
        return &LayerWeights::key;
    case Role::value:
        return &LayerWeights::value;
    case Role::attention_output:
        return &LayerWeights::output;
    case Role::gate:
        return &LayerWeights::gate;
    case Role::up:
        return &LayerWeights::up;
    case Role::down:
        return &LayerWeights::down;
    case Role::router:
        return &LayerWeights::router;
    default:
        return nullptr;
    }
}

std::vector<float> LayerWeights::*layer_vector(Role role) noexcept {
    switch (role) {
    case Role::attention_norm:
        return &LayerWeights::attention_norm;
    case Role::feed_forward_norm:
        return &LayerWeights::feed_forward_norm;
    case Role::attention_post_norm:
        return &LayerWeights::attention_post_norm;
    case Role::feed_forward_post_norm:
        return &LayerWeights::feed_forward_post_norm;
    case Role::query_bias:
        return &LayerWeights::query_bias;
    case Role::key_bias:
        return &LayerWeights::key_bias;
    case Role::value_bias:
        return &LayerWeights::value_bias;
    case Role::attention_output_bias:
        return &LayerWeights::output_bias;
    case Role::query_norm:
        return &LayerWeights::query_norm;
    case Role::key_norm:
        return &LayerWeights::key_norm;
    case Role::gate_bias:
        return &LayerWeights::gate_bias;
    case Role::up_bias:
        return &LayerWeights::up_bias;
    case Role::down_bias:
        return &LayerWeights::down_bias;
    case Role::router_bias:
        return &LayerWeights::router_bias;
    case Role::expert_gate_bias:
        return &LayerWeights::expert_gate_bias;
    case Role::expert_up_bias:
        return &LayerWeights::expert_up_bias;
    case Role::expert_down_bias:
        return &LayerWeights::expert_down_bias;
    case Role::sinks:
        return &LayerWeights::sinks;
    default:
        return nullptr;
    }
}

std::vector<kernels::MatrixShape> MatrixPlan::parts() const {
    if (!is_by_slice) return {shape};
    std::vector<kernels::MatrixShape> parts;
    for (const kernels::Slice& slice : shape.slices) {
        parts.push_back(shape);
        parts.back().slices = {slice};
    }
    return parts;
}

} // namespace pillar::model
