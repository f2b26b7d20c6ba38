// Arrivals are counted down in one word, waiters watch another: the last one to arrive opens the
// next generation. Waiting spins for a few microseconds (a barrier between balanced shares takes
// less), then offers the core to others.

#include "pillar/core/stopwatch.hpp"
#include "pillar/threads/team.hpp"

#include <sched.h>

namespace pillar::threads {

namespace {

constexpr double spin_s = 4e-6;

void pause_core() noexcept {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

} // namespace

void Barrier::wait() noexcept {
    // Nobody can open the next generation before this thread has arrived, so this read is current.
    const std::size_t mine = generation_.load(std::memory_order_relaxed);
    if (n_arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == n_threads_) {
        n_arrived_.store(0, std::memory_order_relaxed);
        generation_.store(mine + 1, std::memory_order_release);
        return;
    }
    const auto is_open = [&] { return generation_.load(std::memory_order_acquire) != mine; };
    const double give_up_s = monotonic_s() + spin_s;
    do {
        for (int i = 0; i < 16; ++i) {
            if (is_open()) return;
            pause_core();
        }
    } while (monotonic_s() < give_up_s);
    while (!is_open()) ::sched_yield();
}

} // namespace pillar::threads
