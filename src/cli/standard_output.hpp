#pragma once

#include "pillar/core/function_ref.hpp"

#include <string_view>

namespace pillar::cli {

/// Rank 0 only. Text goes out at once, to Open MPI 5's mpirun up to its last whole line. A reader
/// that has gone (`| head`) is an IoError, one that takes its time (`| less`) is waited for;
/// `attend` is called meanwhile (waiting.hpp).
void write_text(std::string_view text, FunctionRef<void()> attend);

/// Whether take_text_pipe (command.hpp) has found one: then no launcher reads what is written.
[[nodiscard]] bool has_text_pipe() noexcept;

} // namespace pillar::cli
