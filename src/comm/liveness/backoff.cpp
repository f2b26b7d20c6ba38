// Spin, yield, sleep.

#include "backoff.hpp"

#include "pillar/core/timing.hpp"

#include <algorithm>
#include <ctime>
#include <sched.h>

namespace pillar::comm {

namespace {

/// Open MPI looks at its sockets in every eighth call only, so polls come in bursts.
constexpr unsigned polls_per_burst = 16;
constexpr double hook_interval_s = 1e-3;
/// Programs that nobody counted may share the cores: a longer wait lets them run.
constexpr double spin_s = 50e-6;
constexpr double min_sleep_s = 50e-6;
constexpr double max_sleep_s = 50e-3; // of a wait of 20 s: somebody types
/// A sleep adds at most this share to a wait.
constexpr double sleep_share = 1.0 / 400;

void sleep_for(double seconds) noexcept {
    const timespec duration{0, static_cast<long>(seconds * 1e9)};
    ::nanosleep(&duration, nullptr); // cut short by a signal: the next poll comes earlier
}

} // namespace

void Backoff::pause() noexcept {
    if (++n_polls_ % polls_per_burst != 0) return;
    const double now_s = monotonic_s();
    if (hook_ != nullptr && now_s - last_hook_s_ >= hook_interval_s) {
        last_hook_s_ = now_s;
        hook_(context_, since_s_);
    }
    const double waited_s = now_s - since_s_;
    if (waited_s >= sleep_after_s_) {
        sleep_for(std::clamp(waited_s * sleep_share, min_sleep_s, max_sleep_s));
    } else if (yields_ || waited_s >= spin_s) {
        ::sched_yield();
    }
}

} // namespace pillar::comm
