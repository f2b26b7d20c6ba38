#include "pillar/model/architecture.hpp"

#include "architectures/architectures.hpp"

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

} // namespace pillar::model
