#pragma once
// Each subcommand adds its flags to the parser and, when it is the one called, fills in the
// command.

#include "pillar/cli/command.hpp"

#include <CLI/CLI.hpp>

namespace pillar::cli {

void add_run(CLI::App& app, Command& command);
void add_logits(CLI::App& app, Command& command);
void add_inspect(CLI::App& app, Command& command);
void add_tokenize(CLI::App& app, Command& command);
void add_report(CLI::App& app, Command& command);

} // namespace pillar::cli
