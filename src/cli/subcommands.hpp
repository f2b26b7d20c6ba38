#pragma once
// Each subcommand adds its flags to the parser and, when it is the one called, fills in the
// command.

#include "pillar/cli/command.hpp"

namespace CLI {
class App; // flags alone see CLI11, which costs seconds a file
}

namespace pillar::cli {

/// Is this the process that prints? Where MPI is never started every rank does the same work and
/// leaves with the same code, but one of them speaks.
[[nodiscard]] bool prints();

void add_run(CLI::App& app, Command& command);
void add_bench(CLI::App& app, Command& command);
void add_logits(CLI::App& app, Command& command);
void add_inspect(CLI::App& app, Command& command);
void add_tokenize(CLI::App& app, Command& command);
void add_report(CLI::App& app, Command& command);
void add_plan(CLI::App& app, Command& command);
void add_check(CLI::App& app, Command& command);

} // namespace pillar::cli
