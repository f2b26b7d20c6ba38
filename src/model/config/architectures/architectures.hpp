#pragma once
// The architectures that this program computes, one file each beside this one.

#include "pillar/model/architecture.hpp"

namespace pillar::model {

extern const Architecture llama_architecture;

/// In the order in which sentences name them.
inline constexpr const Architecture* all_architectures[] = {&llama_architecture};

} // namespace pillar::model
