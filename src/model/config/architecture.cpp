#include "pillar/model/architecture.hpp"

#include "config/architectures/architectures.hpp"

#include "pillar/core/errors.hpp"

namespace pillar::model {

namespace {
constexpr const Architecture* all[] = {&llama_architecture};
}

std::span<const Architecture* const> architectures() noexcept {
    return all;
}

const Architecture* find_architecture(std::string_view name) noexcept {
    for (const Architecture* architecture : all)
        if (architecture->name == name) return architecture;
    return nullptr;
}

const Architecture& architecture_of(const Hyperparameters& h) {
    const Architecture* architecture = find_architecture(h.architecture);
    expects(architecture != nullptr, "hyperparameters are of an architecture that is supported");
    return *architecture;
}

} // namespace pillar::model
