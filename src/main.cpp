// Parse, start MPI only where a subcommand needs it, dispatch, turn errors into an exit code.

#include "pillar/cli/command.hpp"
#include "pillar/comm/agree.hpp"
#include "pillar/comm/environment.hpp"
#include "pillar/core/errors.hpp"
#include "pillar/core/log.hpp"
#include "pillar/core/program.hpp"
#include "pillar/terminal/text_pipe.hpp"

#include <chrono>
#include <fmt/core.h>
#include <thread>

namespace {

using namespace pillar;

/// Errors that all ranks know of end in an orderly way, everybody with the same code; rank 0 tells
/// the sentence. A reader of the output that has left is none (code done). One rank alone is all
/// ranks.
int run_agreed(const cli::Command& command, comm::Environment& environment) {
    try {
        return command.run_with_ranks(environment);
    } catch (const comm::AgreedError& error) {
        if (error.code() != ExitCode::done) log::root(log::Level::error, "{}", error.what());
        return static_cast<int>(error.code());
    } catch (...) {
        if (environment.n_ranks() > 1) throw;
        const Outcome outcome = outcome_of_exception();
        log::error("{}", outcome.sentence);
        return static_cast<int>(outcome.code);
    }
}

/// A launcher ends the job with the first rank that leaves with an error, and what rank 0 still has
/// to say would be lost: the others let it go first.
int leave_after_root(int code, bool is_root) {
    if (code != 0 && !is_root) std::this_thread::sleep_for(std::chrono::seconds(1));
    return code;
}

/// What computes alone never meets the other programs of `mpirun A : B`; they would wait for it.
void expect_one_program(const comm::LaunchVariables& launch) {
    if (launch.n_programs == 1) return;
    throw Error(ExitCode::disagree,
                fmt::format("rank {} of {} was started with a subcommand that needs no ranks, for "
                            "which those of mpirun's other programs would wait: give all ranks "
                            "the same, or start it by itself",
                            launch.rank, launch.size));
}

int run(int argc, char** argv) {
    const comm::LaunchVariables launch = comm::read_launch_variables();
    const bool is_root = launch.rank == 0;
    if (is_root) terminal::take_text_pipe();
    cli::Command command;
    try {
        command = cli::parse(argc, argv);
        if (command.run_alone) {
            expect_one_program(launch);
            return leave_after_root(command.run_alone(), is_root);
        }
    } catch (...) {
        const Outcome outcome = outcome_of_exception();
        if (launch.is_first && outcome.code != ExitCode::done)
            log::error("{}", outcome.sentence); // the ranks of a program are alike
        return leave_after_root(static_cast<int>(outcome.code), is_root);
    }
    cli::prepare_process();
    comm::Environment environment(argc, argv);
    return run_agreed(command, environment);
}

} // namespace

int main(int argc, char** argv) {
    open_standard_descriptors();
    ignore_write_signals();
    try {
        const int code = run(argc, argv);
        terminal::leave_text_pipe();
        return code;
    } catch (...) { // this rank alone knows: tell it and take the others along
        const Outcome outcome = outcome_of_exception();
        log::error("{}", outcome.sentence);
        comm::abort_job(outcome.code);
    }
}
