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
/// SIGPIPE and SIGXFSZ are ignored: a closed pipe or a full quota shows as a write error.
void install_signal_handlers(std::function<void()> flush);

/// SIGUSR1 has come.
[[nodiscard]] bool stop_requested() noexcept;

/// For tests and for chat's first Ctrl-C.
void request_stop() noexcept;

} // namespace pillar::engine
