#pragma once
// Requests to stop. SIGUSR1: finish the step, write everything, exit 75; the flag travels with the
// gather and comes back as the next broadcast's stop. SIGTERM and SIGINT come from mpirun with a
// KILL one second behind them: what exists is flushed at once by a plain thread and the process
// leaves.

#include <functional>

namespace pillar::engine {

/// Install the handlers; `flush` runs on a plain thread within 0.5 s of SIGTERM or SIGINT, then the
/// process exits with
/// 75. Call before any other thread starts (the signals are blocked in all threads that follow).
void install_signal_handlers(std::function<void()> flush);

/// While one lives, the first SIGINT (Ctrl-C) asks for the end after the step as SIGUSR1 does, and
/// the second one ends the process at once. For a process that no launcher has started: a launcher
/// has its own way with Ctrl-C.
class FinishStepOnInterrupt {
  public:
    FinishStepOnInterrupt() noexcept;
    ~FinishStepOnInterrupt();
    FinishStepOnInterrupt(const FinishStepOnInterrupt&) = delete;
    FinishStepOnInterrupt& operator=(const FinishStepOnInterrupt&) = delete;
};

/// SIGUSR1 has come.
[[nodiscard]] bool stop_requested() noexcept;

/// As if SIGUSR1 had come.
void request_stop() noexcept;
/// What was asked for is done: an answer of a chat has ended, and the next one may begin.
void clear_stop_request() noexcept;

} // namespace pillar::engine
