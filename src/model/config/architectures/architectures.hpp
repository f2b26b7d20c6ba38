#pragma once
// The architectures this binary computes, one file each beside this one.

#include "pillar/model/architecture.hpp"

namespace pillar::model {

extern const Architecture llama_architecture;

} // namespace pillar::model
