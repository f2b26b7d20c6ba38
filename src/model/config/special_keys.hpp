#pragma once
// Metadata keys that change what a model computes. An architecture names those that it reads; any
// other one that is there and says something is refused, since without it the answers would be
// wrong.

#include "pillar/model/architecture.hpp"

namespace pillar::model {

/// Throws FormatError naming the first key of the file that asks for what `h.architecture` does not
/// compute.
void refuse_special_keys(const gguf::Metadata& metadata, const Hyperparameters& h);

} // namespace pillar::model
