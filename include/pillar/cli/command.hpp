#pragma once
// The command line: one file per subcommand in src/cli. Parsing touches no MPI; only subcommands
// that compute need ranks. Every rank parses the same arguments; what is printed about them, rank 0
// prints.

#include "pillar/arguments/command.hpp"

namespace pillar::cli {

using arguments::Command;

/// Throws UsageError. `--help` and `--version` come back as a command that prints.
Command parse(int argc, char** argv);

/// Install what must stand before MPI and its threads start (signals). Called once: before
/// run_with_ranks, and by commands without ranks that write files.
void prepare_process();

} // namespace pillar::cli
