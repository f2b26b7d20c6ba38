#include "pillar/model/architecture.hpp"

#include "pillar/architectures.hpp"
#include "pillar/core/errors.hpp"

#include <algorithm>
#include <cmath>

namespace pillar::model {

void nothing_special(const gguf::File& /*file*/, Hyperparameters& /*h*/) {}

LayerSpec pre_norm_layer(const Hyperparameters& h, std::size_t /*layer*/) {
    return {.norms = NormPlacement::before_block,
            .feed_forward = FeedForward::gated,
            .activation = Activation::silu,
            .attention_scale = inverse_root(h.head_dim),
            .rope = 0};
}

float inverse_root(std::size_t width) noexcept {
    return static_cast<float>(1.0 / std::sqrt(static_cast<double>(width)));
}

const TensorSpec& embedding_of(const Architecture& architecture) noexcept {
    const auto spec =
        std::ranges::find(architecture.model_tensors, Role::embedding, &TensorSpec::role);
    expects(spec != architecture.model_tensors.end(), "an architecture's list has the embedding");
    return *spec;
}

std::span<const Architecture* const> architectures() noexcept {
    return all_architectures;
}

const Architecture* find_architecture(std::span<const Architecture* const> known,
                                      std::string_view name) noexcept {
    for (const Architecture* architecture : known)
        if (architecture->name == name) return architecture;
    return nullptr;
}

} // namespace pillar::model
