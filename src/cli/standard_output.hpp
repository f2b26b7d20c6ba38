#pragma once

#include "pillar/core/function_ref.hpp"

#include <string_view>

namespace pillar::cli {

/// Rank 0 only. Text goes out at once. A reader that has gone (`| head`) is an IoError, one that
/// takes its time (`| less`) is waited for; `attend` is called meanwhile (waiting.hpp).
void write_text(std::string_view text, FunctionRef<void()> attend);

} // namespace pillar::cli
