#pragma once
// What somebody types: lines of standard input, put together where one ends with a backslash.

#include "pillar/core/function_ref.hpp"
#include "pillar/terminal/input_lines.hpp"

#include <optional>
#include <string>

namespace pillar::dialogue {

/// Rank 0 only.
class TurnInput {
  public:
    /// nullopt at the end of input. `heartbeat` is called while nothing comes; what it throws comes
    /// out. Throws IoError; UsageError for a line that is too long, the next ones can be read.
    std::optional<std::string> next(FunctionRef<void()> heartbeat);

  private:
    terminal::InputLines lines_{"-"};
};

} // namespace pillar::dialogue
