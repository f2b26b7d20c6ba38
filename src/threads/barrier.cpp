// Arrivals are counted down in one word, waiters watch another: the last one to arrive opens the
// next generation. Waiting spins first, then offers the core to others.

#include "pillar/core/timing.hpp"
#include "pillar/threads/team.hpp"

#include <sched.h>

namespace pillar::threads {

namespace {

void pause_core() noexcept {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

/// Until `is_done`, which it is not yet: spin until `give_up_s`, then yield, and do something
/// useful now and then.
template <class Condition>
void wait_on(double give_up_s, WhileWaiting do_this, const Condition& is_done) noexcept {
    do {
        for (int i = 0; i < 16; ++i) {
            if (is_done()) return;
            pause_core();
        }
    } while (monotonic_s() < give_up_s);
    while (!is_done()) {
        if (do_this != nullptr) (*do_this)();
        ::sched_yield();
    }
}

template <class Condition>
void wait_until(double spin_s, WhileWaiting do_this, BarrierTime* time,
                const Condition& is_done) noexcept {
    if (is_done()) return;
    const double begin_s = monotonic_s();
    wait_on(begin_s + spin_s, do_this, is_done);
    if (time != nullptr) time->waited_s += monotonic_s() - begin_s;
}

} // namespace

// A barrier between balanced shares takes less than the shorter time, so on cores of one's own
// both do. Where other programs run too, who yields waits for a whole slice of theirs, at each
// barrier; who spins on is still there when the others arrive (beside two busy processes on two
// cores: 7 tokens a second with the shorter time, 50 to 150 with the longer). Threads that share
// too few cores wait for each other, and the sooner they yield the better: 15 against 90.
Barrier::Barrier(int n_threads, bool is_oversubscribed) noexcept
    : n_threads_(n_threads), spin_s_(is_oversubscribed ? 4e-6 : 300e-6) {}

// Nobody can open the next generation before this thread has arrived, so reading one's own
// generation needs no order.

void Barrier::open_next(std::size_t mine) noexcept {
    n_arrived_.store(0, std::memory_order_relaxed);
    generation_.store(mine + 1, std::memory_order_release);
}

void Barrier::wait(WhileWaiting do_this, BarrierTime* time) noexcept {
    const std::size_t mine = generation_.load(std::memory_order_relaxed);
    if (n_arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == n_threads_) {
        open_next(mine);
        return;
    }
    wait_until(spin_s_, do_this, time,
               [&] { return generation_.load(std::memory_order_acquire) != mine; });
}

void Barrier::lead(FunctionRef<void()> serial, WhileWaiting do_this, BarrierTime* time) noexcept {
    const std::size_t mine = generation_.load(std::memory_order_relaxed);
    wait_until(spin_s_, do_this, time,
               [&] { return n_arrived_.load(std::memory_order_acquire) + 1 == n_threads_; });
    if (time == nullptr || n_threads_ == 1) {
        serial();
    } else {
        const double begin_s = monotonic_s();
        serial();
        time->serial_s += monotonic_s() - begin_s;
    }
    open_next(mine);
}

void Barrier::follow(BarrierTime* time) noexcept {
    const std::size_t mine = generation_.load(std::memory_order_relaxed);
    n_arrived_.fetch_add(1, std::memory_order_release);
    wait_until(spin_s_, nullptr, time,
               [&] { return generation_.load(std::memory_order_acquire) != mine; });
}

} // namespace pillar::threads
