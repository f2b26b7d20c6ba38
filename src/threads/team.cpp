// One OpenMP region per run. Our own barrier comes last inside it, so that all threads reach
// OpenMP's closing barrier together: that one may spin for milliseconds, which nobody can afford
// when cores are shared. For the same reason OMP_WAIT_POLICY=passive is worth setting where ranks
// share cores; nothing depends on it. The regions stand in functions of their own, apart from all
// reads and writes of user data: OpenMP's hand-over is invisible to ThreadSanitizer, so hand_over
// and last_ carry the order of memory, and only the regions are not watched.

#include "pillar/threads/team.hpp"

#include "pillar/core/errors.hpp"

#include <cerrno>
#include <exception>
#include <fmt/core.h>
#include <future>
#include <new>
#include <omp.h>
#include <string>
#include <system_error>
#include <thread>

namespace pillar::threads {

namespace {

/// Raised by the caller before a region and by every thread at its end, read on the other side.
constinit std::atomic<std::size_t> hand_over{0};

/// Whether the system starts so many threads at a time: OpenMP, which cannot, ends the process. Its
/// own threads stay, so what has worked once need not be tried again.
void expect_threads(int n_threads) {
    static std::atomic<int> max_started{1};
    if (n_threads <= max_started.load()) return;
    std::promise<void> all_are_there;
    const std::shared_future<void> go = all_are_there.get_future().share();
    std::vector<std::thread> threads;
    int reason = 0;
    try {
        while (static_cast<int>(threads.size()) < n_threads)
            threads.emplace_back([go] { go.wait(); });
    } catch (const std::system_error& failure) {
        reason = failure.code().value();
    } catch (const std::bad_alloc&) {
        reason = ENOMEM;
    }
    all_are_there.set_value();
    for (std::thread& thread : threads) thread.join();
    if (reason != 0) {
        throw Error(ExitCode::refused,
                    fmt::format("the system starts no {} threads ({}): use fewer with -t, or look "
                                "at `ulimit -v` and `ulimit -u`",
                                n_threads, std::generic_category().message(reason)));
    }
    max_started.store(n_threads);
}

[[gnu::no_sanitize("thread")]] int granted_threads(int n_threads) {
    expects(n_threads >= 1, "a team needs at least one thread");
    if (n_threads == 1) return 1;
    expect_threads(n_threads);
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
      last_(n_threads_, n_threads_ > n_cpus), times_(static_cast<std::size_t>(n_threads_)) {}

void Team::run(FunctionRef<void(Worker)> body) noexcept {
    run(body, nullptr);
}

void Team::run(FunctionRef<void(Worker)> body, FunctionRef<void()> while_waiting) noexcept {
    run(body, &while_waiting);
}

void Team::run(FunctionRef<void(Worker)> body, WhileWaiting while_waiting) noexcept {
    body_ = &body;
    while_waiting_ = while_waiting;
    hand_over.fetch_add(1, std::memory_order_release);
    if (n_threads_ == 1) {
        work(0, 1);
    } else {
        fork();
    }
    (void)hand_over.load(std::memory_order_acquire);
    body_ = nullptr;
    while_waiting_ = nullptr;
}

[[gnu::no_sanitize("thread")]] void Team::fork() noexcept {
#pragma omp parallel num_threads(n_threads_)
    work(omp_get_thread_num(), omp_get_num_threads());
}

void Team::work(int index, int count) noexcept {
    (void)hand_over.load(std::memory_order_acquire);
    expects(count == n_threads_, "a team ran inside another team or lost threads to a new limit");
    const WhileWaiting while_waiting = index == 0 ? while_waiting_ : nullptr;
    BarrierTime* const time = &times_[static_cast<std::size_t>(index)].time;
    try {
        (*body_)(Worker(index, count, barrier_, while_waiting, time));
    } catch (const std::exception& error) {
        expects(false, std::string("an exception left a team's body: ") + error.what());
    } catch (...) {
        expects(false, "an exception left a team's body");
    }
    last_.wait(while_waiting, time);
    hand_over.fetch_add(1, std::memory_order_release);
}

} // namespace pillar::threads
