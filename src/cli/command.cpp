#include "pillar/cli/command.hpp"

#include "pillar/arguments/parser.hpp"
#include "subcommands.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/core/output_file.hpp"
#include "pillar/core/program.hpp"
#include "pillar/engine/signals.hpp"
#include "pillar/session/tracing.hpp"

#include <fmt/core.h>

namespace pillar::cli {

void add_subcommands(Parser& parser) {
    add_run(parser);
    add_chat(parser);
    add_batch(parser);
    add_bench(parser);
    add_logits(parser);
    add_perplexity(parser);
    add_imatrix(parser);
    add_inspect(parser);
    add_tokenize(parser);
    add_plan(parser);
    add_check(parser);
    add_report(parser);
    add_quantize(parser);
}

Command parse(int argc, char** argv) {
    session::remember_command_line(argc, argv);
    Parser parser;
    add_subcommands(parser);
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    if (arguments.empty() || arguments.front() == "-h" || arguments.front() == "--help")
        return say(parser.help());
    if (arguments.front() == "--version")
        return say(fmt::format("pillar {} ({})\n", version(), revision()));
    if (arguments.front() == "help")
        return arguments.size() == 1 ? say(parser.help()) : parser.parse({arguments[1], "--help"});
    return parser.parse(arguments);
}

namespace {

/// Text is flushed as it comes.
void leave_files_in_order() noexcept {
    session::flush_trace();
    remove_unfinished_outputs();
}

} // namespace

void prepare_process() {
    engine::install_signal_handlers(leave_files_in_order);
    set_abort_hook(leave_files_in_order);
    tell_on_terminate();
}

} // namespace pillar::cli
