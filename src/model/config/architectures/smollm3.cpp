// "smollm3": SmolLM3. Llama whose every fourth layer leaves queries and keys as they are: it
// attends without positions.

#include "config/common_tensors.hpp"

#include "pillar/model/architecture.hpp"

namespace pillar::model {

namespace {

constexpr RowOrder order = RowOrder::as_in_file;
constexpr auto layer_tensors =
    joined(norms_before_blocks, attention_tensors(order), gated_feed_forward);
enum Table : std::size_t { rotated, as_they_are }; ///< of Hyperparameters::ropes

void read(const gguf::File& /*file*/, Hyperparameters& h) {
    h.ropes.push_back({.n_dims = 0});
}

LayerSpec layer_spec(const Hyperparameters& h, std::size_t layer) {
    LayerSpec spec = pre_norm_layer(h, layer);
    spec.rope = layer % 4 == 3 ? as_they_are : rotated;
    return spec;
}

} // namespace

extern const Architecture smollm3_architecture{"smollm3", read, layer_spec, common_model_tensors,
                                               layer_tensors};

} // namespace pillar::model
