#include "pillar/engine/signals.hpp"

#include "pillar/core/errors.hpp"

#include <atomic>
#include <csignal>
#include <thread>
#include <unistd.h>

namespace pillar::engine {

namespace {

std::atomic<bool> requested{false};
std::atomic<int> n_finishing{0}; ///< living FinishStepOnInterrupt
static_assert(std::atomic<bool>::is_always_lock_free,
              "a signal handler may only touch lock-free atomics");

void on_user_signal(int /*signal*/) {
    requested.store(true, std::memory_order_relaxed);
}

} // namespace

bool stop_requested() noexcept {
    return requested.load(std::memory_order_relaxed);
}
void request_stop() noexcept {
    requested.store(true, std::memory_order_relaxed);
}
void clear_stop_request() noexcept {
    requested.store(false, std::memory_order_relaxed);
}

FinishStepOnInterrupt::FinishStepOnInterrupt() noexcept {
    ++n_finishing;
}
FinishStepOnInterrupt::~FinishStepOnInterrupt() {
    --n_finishing;
}

void install_signal_handlers(std::function<void()> flush) {
    struct sigaction action {};
    action.sa_handler = on_user_signal;
    action.sa_flags = SA_RESTART;
    sigaction(SIGUSR1, &action, nullptr);

    sigset_t ending;
    sigemptyset(&ending);
    sigaddset(&ending, SIGTERM);
    sigaddset(&ending, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ending, nullptr);
    std::thread([ending, flush = std::move(flush)] {
        int signal = 0;
        do {
            sigwait(&ending, &signal);
        } while (signal == SIGINT && n_finishing > 0 && !requested.exchange(true));
        flush();
        _exit(static_cast<int>(ExitCode::resumable));
    }).detach();
}

} // namespace pillar::engine
