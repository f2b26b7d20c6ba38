#pragma once
// The layout before GGUF: entries of (name, calls, values), each value the mean of x² times the
// calls; then, where it is not cut off there, the chunks and the name of the text.

#include "pillar/importance/importance.hpp"

#include <cstdio>
#include <string>

namespace pillar::importance {

/// From the file's beginning; `path` stands in errors. Throws FormatError, IoError.
Matrix read_dat(std::FILE* file, const std::string& path);

} // namespace pillar::importance
