#pragma once
// What a parsed command line is: something to run, alone or with ranks. Every rank parses the same
// arguments; what is printed about them, rank 0 prints.

#include "pillar/comm/environment.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace pillar::arguments {

/// A parsed command line, ready to run. Both functions return the exit code or throw Error.
struct Command {
    std::function<int()> run_alone; ///< set for subcommands that never start MPI
    std::function<int(comm::Environment&)>
        run_with_ranks;   ///< **Collective.** set for those that compute
    double timeout_s = 0; ///< --timeout: holds as soon as MPI has started
};

/// Is this the process that prints? Where MPI is never started every rank does the same work and
/// leaves with the same code, but one of them speaks.
[[nodiscard]] bool prints();

/// Rank 0 of commands that start no ranks: the process that prints writes to standard output.
void print_text(std::string_view text);

/// A command that prints `text`.
Command say(std::string text);

} // namespace pillar::arguments
