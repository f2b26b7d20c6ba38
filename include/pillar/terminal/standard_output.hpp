#pragma once
// Everything that goes to standard output goes through here: each write is checked.

#include "pillar/core/errors.hpp"
#include "pillar/core/function_ref.hpp"

#include <string_view>

namespace pillar::terminal {

/// Who read standard output has seen enough (`| head`). The command ends, with nothing said of it
/// and as done.
class ReaderLeft : public Error {
  public:
    ReaderLeft() : Error(ExitCode::done, "the reader of standard output has left") {}
};

/// Rank 0 only. Text goes out at once, to Open MPI 5's mpirun up to its last whole line. A reader
/// that takes its time (`| less`) is waited for; `heartbeat` is called meanwhile (waiting.hpp).
/// Throws ReaderLeft, or IoError (74) where the text is lost: a full disk, a closed descriptor.
void write_text(std::string_view text, FunctionRef<void()> heartbeat);

/// Throws IoError (74) where nothing can be written: standard output is closed. Before work whose
/// result goes there.
void expect_standard_output();

} // namespace pillar::terminal
