#include "pillar/model/architecture.hpp"

#include "pillar/architectures.hpp"
#include "pillar/core/errors.hpp"

#include <algorithm>

namespace pillar::model {

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
