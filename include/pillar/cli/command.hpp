#pragma once
// The command line: one file per subcommand in src/cli. Parsing touches no MPI; only subcommands
// that compute need ranks. Every rank parses the same arguments; what is printed about them, rank 0
// prints.

#include "pillar/comm/environment.hpp"

#include <functional>

namespace pillar::cli {

/// A parsed command line, ready to run. Both functions return the exit code or throw Error.
struct Command {
    std::function<int()> run_alone; ///< set for subcommands that never start MPI
    std::function<int(comm::Environment&)>
        run_with_ranks;   ///< **Collective.** set for those that compute
    double timeout_s = 0; ///< --timeout: holds as soon as MPI has started
};

/// Throws UsageError. `--help` and `--version` come back as a command that prints.
Command parse(int argc, char** argv);

/// Install what must stand before MPI and its threads start (signals). Called once: before
/// run_with_ranks, and by commands without ranks that write files.
void prepare_process();

} // namespace pillar::cli
