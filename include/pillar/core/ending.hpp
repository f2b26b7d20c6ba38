#pragma once
// How the process ends when nothing else can be done, and what is told of an exception.

#include "pillar/core/errors.hpp"

#include <string>

namespace pillar {

/// Called once before the process ends early, on whatever thread: by abort_job, a broken contract,
/// or an exception that nobody catches. What exists is to be saved, in half a second at most.
void before_abort(void (*callback)() noexcept) noexcept;
/// For those who end the process: call it, unless somebody has.
void call_before_abort() noexcept;

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
