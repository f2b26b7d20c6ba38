#pragma once
// Each subcommand adds its flags to the parser and, when it is the one called, fills in the
// command.

#include "pillar/cli/command.hpp"

#include <string>
#include <string_view>

namespace pillar::cli {

class Parser; // arguments/parser.hpp

/// Is this the process that prints? Where MPI is never started every rank does the same work and
/// leaves with the same code, but one of them speaks.
[[nodiscard]] bool prints();

/// Rank 0 of commands that start no ranks: the process that prints writes to standard output.
void print_text(std::string_view text);

/// A command that prints `text`.
Command say(std::string text);

void add_run(Parser& parser);
void add_chat(Parser& parser);
void add_batch(Parser& parser);
void add_bench(Parser& parser);
void add_logits(Parser& parser);
void add_inspect(Parser& parser);
void add_tokenize(Parser& parser);
void add_report(Parser& parser);
void add_plan(Parser& parser);
void add_check(Parser& parser);
/// All of them, in the order of the help.
void add_subcommands(Parser& parser);

} // namespace pillar::cli
