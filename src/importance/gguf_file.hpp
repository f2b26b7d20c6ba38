#pragma once
// The GGUF layout.

#include "pillar/importance/importance.hpp"

namespace pillar::importance {

/// Throws FormatError, IoError.
Matrix read_gguf(const std::filesystem::path& path);

} // namespace pillar::importance
