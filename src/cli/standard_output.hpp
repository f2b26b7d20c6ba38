#pragma once

#include <string_view>

namespace pillar::cli {

/// Rank 0 only. Text goes out at once. A reader that has gone (`| head`) is an IoError.
void write_text(std::string_view text);

} // namespace pillar::cli
