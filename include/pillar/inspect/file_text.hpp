#pragma once
// What a GGUF file says about itself, for people.

#include "pillar/gguf/file.hpp"

#include <cstddef>
#include <string>

namespace pillar::inspect {

/// Sizes and types, metadata (of arrays the first `max_items`), tensors.
std::string file_text(const gguf::File& file, bool with_tensors, std::size_t max_items);

} // namespace pillar::inspect
