#pragma once
// The program: its version; what must hold before it opens its first file or starts its first
// thread, how it ends when nothing else can be done, and what is told of an exception.

#include "pillar/core/errors.hpp"

#include <string>

namespace pillar {

std::string_view version() noexcept;  ///< e.g. "0.1.0"
std::string_view revision() noexcept; ///< git describe --always --dirty, or "unknown"
/// Hash of the running executable's own file; 0 when it cannot be read.
std::uint64_t binary_hash();
/// What ranks compare: "0.1.0 4964cfe build 06f1…", the hash last.
std::string build_text();

/// A closed descriptor 0, 1 or 2 would be given to the next file that is opened, which would then
/// be read as the prompt or written to as the text. They are opened on /dev/null here, so that
/// reading from 0 and writing to 1 fail (EBADF) and what is written to 2 is dropped.
void open_standard_descriptors() noexcept;

/// A reader that has gone (SIGPIPE) and a limit on file sizes (SIGXFSZ) show as errors of write(2),
/// which can be told, and what is unfinished can be removed.
void ignore_write_signals() noexcept;

/// Called once before the process ends early, on whatever thread: by abort_job, a broken contract,
/// or an exception that nobody catches. What exists is to be saved, in half a second at most.
void set_abort_hook(void (*callback)() noexcept) noexcept;
/// For those who end the process: call it, unless somebody has.
void run_abort_hook() noexcept;

/// From now on an exception that leaves where none may is told in a sentence and ends the process
/// with its exit code, not with a signal.
void tell_on_terminate() noexcept;

/// The error that is being handled, as it is told. Memory that has run out and a system that starts
/// no thread are refusals; what else is no Error is a fault of this program.
struct Outcome {
    ExitCode code = ExitCode::done;
    std::string sentence;
};
/// Within a catch block.
[[nodiscard]] Outcome outcome_of_exception();

} // namespace pillar
