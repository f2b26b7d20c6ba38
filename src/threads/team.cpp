// One OpenMP region per run. Our own barrier comes last inside it, so that all threads reach
// OpenMP's closing barrier together: that one may spin for milliseconds, which nobody can afford
// when cores are shared. For the same reason OMP_WAIT_POLICY=passive is worth setting where ranks
// share cores; nothing depends on it. The regions stand in functions of their own, apart from all
// reads and writes of user data: OpenMP's hand-over is invisible to ThreadSanitizer, so hand_over
// and last_ carry the order of memory, and only the regions are not watched.

#include "pillar/threads/team.hpp"

#include "pillar/core/errors.hpp"

#include <exception>
#include <omp.h>
#include <string>

namespace pillar::threads {

namespace {

/// Raised by the caller before a region and by every thread at its end, read on the other side.
constinit std::atomic<std::size_t> hand_over{0};

[[gnu::no_sanitize("thread")]] int granted_threads(int n_threads) {
    expects(n_threads >= 1, "a team needs at least one thread");
    if (n_threads == 1) return 1;
    omp_set_dynamic(0); // all or as many as the limit allows, every time the same
    int granted = 1;
#pragma omp parallel num_threads(n_threads)
    {
#pragma omp single
        granted = omp_get_num_threads();
    }
    return granted;
}

} // namespace

Team::Team(int n_threads, int n_cpus)
    : n_threads_(granted_threads(n_threads)), barrier_(n_threads_, n_threads_ > n_cpus),
      last_(n_threads_, n_threads_ > n_cpus) {}

void Team::run(FunctionRef<void(Worker)> body) noexcept {
    body_ = &body;
    hand_over.fetch_add(1, std::memory_order_release);
    if (n_threads_ == 1) {
        work(0, 1);
    } else {
        fork();
    }
    (void)hand_over.load(std::memory_order_acquire);
    body_ = nullptr;
}

[[gnu::no_sanitize("thread")]] void Team::fork() noexcept {
#pragma omp parallel num_threads(n_threads_)
    work(omp_get_thread_num(), omp_get_num_threads());
}

void Team::work(int index, int count) noexcept {
    (void)hand_over.load(std::memory_order_acquire);
    expects(count == n_threads_, "a team ran inside another team or lost threads to a new limit");
    try {
        (*body_)(Worker(index, count, barrier_));
    } catch (const std::exception& error) {
        expects(false, std::string("an exception left a team's body: ") + error.what());
    } catch (...) {
        expects(false, "an exception left a team's body");
    }
    last_.wait();
    hand_over.fetch_add(1, std::memory_order_release);
}

} // namespace pillar::threads
