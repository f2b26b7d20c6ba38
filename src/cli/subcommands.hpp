#pragma once
// Each subcommand adds its flags to the parser and, when it is the one called, fills in the
// command.

#include "pillar/arguments/parser.hpp"
#include "pillar/cli/command.hpp"

namespace pillar::cli {

using arguments::Parser;
using arguments::print_text;
using arguments::prints;
using arguments::Ranks;
using arguments::say;
using arguments::Subcommand;

void add_run(Parser& parser);
void add_chat(Parser& parser);
void add_batch(Parser& parser);
void add_bench(Parser& parser);
void add_logits(Parser& parser);
void add_perplexity(Parser& parser);
void add_imatrix(Parser& parser);
void add_inspect(Parser& parser);
void add_tokenize(Parser& parser);
void add_report(Parser& parser);
void add_quantize(Parser& parser);
void add_plan(Parser& parser);
void add_check(Parser& parser);
/// All of them, in the order of the help.
void add_subcommands(Parser& parser);

} // namespace pillar::cli
