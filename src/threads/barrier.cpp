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

/// Until `is_done`: spin, then yield.
template <class Condition>
void wait_until(const Condition& is_done) noexcept {
    if (is_done()) return;
    const double give_up_s = monotonic_s() + spin_s;
    do {
        for (int i = 0; i < 16; ++i) {
            if (is_done()) return;
            pause_core();
        }
    } while (monotonic_s() < give_up_s);
    while (!is_done()) ::sched_yield();
}

} // namespace

// Nobody can open the next generation before this thread has arrived, so reading one's own
// generation needs no order.

void Barrier::open_next(std::size_t mine) noexcept {
    n_arrived_.store(0, std::memory_order_relaxed);
    generation_.store(mine + 1, std::memory_order_release);
}

void Barrier::wait() noexcept {
    const std::size_t mine = generation_.load(std::memory_order_relaxed);
    if (n_arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == n_threads_) {
        open_next(mine);
        return;
    }
    wait_until([&] { return generation_.load(std::memory_order_acquire) != mine; });
}

void Barrier::lead(FunctionRef<void()> serial) noexcept {
    const std::size_t mine = generation_.load(std::memory_order_relaxed);
    wait_until([&] { return n_arrived_.load(std::memory_order_acquire) + 1 == n_threads_; });
    serial();
    open_next(mine);
}

void Barrier::follow() noexcept {
    const std::size_t mine = generation_.load(std::memory_order_relaxed);
    n_arrived_.fetch_add(1, std::memory_order_release);
    wait_until([&] { return generation_.load(std::memory_order_acquire) != mine; });
}

} // namespace pillar::threads
