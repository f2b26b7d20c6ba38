#include "pillar/cli/command.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/core/output_file.hpp"
#include "pillar/core/version.hpp"
#include "pillar/engine/signals.hpp"
#include "standard_output.hpp"
#include "subcommands.hpp"
#include "tracing.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace pillar::cli {

bool prints() {
    return comm::read_launch_variables().rank == 0;
}

namespace {

Command say(std::string text) {
    Command command;
    command.run_alone = [text = std::move(text)] {
        print_text(text);
        return 0;
    };
    return command;
}

} // namespace

Command parse(int argc, char** argv) {
    remember_command_line(argc, argv);
    CLI::App app(
        "pillar runs GGUF language models on clusters of small boards: one program on every rank,\n"
        "each with its own slice of the model.  mpirun -n RANKS pillar SUBCOMMAND ...",
        "pillar");
    app.require_subcommand(0, 1);
    app.set_version_flag("--version", fmt::format("pillar {} ({})", version(), revision()));
    app.footer(
        "`pillar SUBCOMMAND --help` tells a subcommand's flags. docs/running.md has the rest.");
    Command command;
    add_run(app, command);
    add_bench(app, command);
    add_logits(app, command);
    add_inspect(app, command);
    add_tokenize(app, command);
    add_plan(app, command);
    add_check(app, command);
    add_report(app, command);
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        return say(app.help()); // of the subcommand that was named, if one was
    } catch (const CLI::CallForVersion&) {
        return say(fmt::format("pillar {} ({})\n", version(), revision()));
    } catch (const CLI::ParseError& error) {
        const auto called = app.get_subcommands();
        throw UsageError(fmt::format("{}; see `pillar{}{} --help`", error.what(),
                                     called.empty() ? "" : " ",
                                     called.empty() ? "" : called.front()->get_name()));
    }
    if (!command.run_alone && !command.run_with_ranks) return say(app.help());
    return command;
}

namespace {

/// Text is flushed as it comes.
void leave_files_in_order() noexcept {
    flush_trace();
    remove_unfinished_outputs();
}

} // namespace

void prepare_process() {
    engine::install_signal_handlers(leave_files_in_order);
    comm::before_abort(leave_files_in_order);
}

} // namespace pillar::cli
