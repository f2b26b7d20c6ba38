// Waiting: nobody burns a core while rank 0 is away, and the hook is called.

#include "liveness/backoff.hpp"
#include "pillar/core/timing.hpp"
#include "support/ranks/mpi_main.hpp"

#include <algorithm>
#include <chrono>
#include <gtest/gtest.h>
#include <mpi.h>
#include <sys/resource.h>
#include <thread>
#include <vector>

namespace pillar::comm {
namespace {

using support::world;

constexpr double away_s = 0.4;

/// Processor time of this thread, and how often it went to sleep of its own accord (yielding is not
/// sleeping).
struct Usage {
    double cpu_s;
    long n_sleeps;
};
Usage usage() {
    rusage now{};
    ::getrusage(RUSAGE_THREAD, &now);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
    };
    return {seconds(now.ru_utime) + seconds(now.ru_stime), now.ru_nvcsw};
}

void be_away() {
    std::this_thread::sleep_for(std::chrono::duration<double>(away_s));
}

TEST(waiting, for_rank_0_sleeps_between_polls) {
    const auto comm = world();
    std::vector<std::byte> buffer(16);
    comm->barrier();
    const Usage before = usage();
    if (comm->is_root()) be_away();
    EXPECT_EQ(comm->broadcast(buffer, 16), 16u);
    const Usage after = usage();
    EXPECT_LT(after.cpu_s - before.cpu_s, away_s / 4);
    EXPECT_GT(after.n_sleeps - before.n_sleeps, comm->is_root() ? -1 : 1);
}

TEST(waiting, is_counted_into_the_timeline) {
    const auto comm = world();
    if (comm->size() == 1) GTEST_SKIP() << "nobody to wait for: runs on 2 ranks and more";
    StepTimeline timeline;
    timeline.collectives.reserve(1);
    comm->record_into(&timeline);
    std::vector<std::byte> buffer(16);
    comm->barrier();
    const double ready_s = monotonic_s();
    if (comm->is_root()) be_away();
    double back_s = monotonic_s();
    comm->broadcast(buffer, 16);
    const double done_s = monotonic_s();
    MPI_Bcast(&back_s, 1, MPI_DOUBLE, 0, MPI_COMM_WORLD); // one machine, one clock
    const CollectiveTiming& timing = timeline.collectives.at(0);
    EXPECT_GE(timing.begin_s, comm->is_root() ? back_s : ready_s); // being away is not waiting
    EXPECT_GE(timing.end_s, back_s);                               // nobody was done before
    EXPECT_LE(timing.end_s, done_s);
}

TEST(waiting, calls_the_hook_at_most_once_a_millisecond) {
    struct Calls {
        std::vector<double> at_s;
        double since_s = 0;
    } calls;
    const PollHook hook = [](void* context, double since_s) {
        static_cast<Calls*>(context)->at_s.push_back(monotonic_s());
        static_cast<Calls*>(context)->since_s = since_s;
    };
    const double begin_s = monotonic_s();
    Backoff backoff(begin_s, step_sleep_after_s, true, hook, &calls);
    while (monotonic_s() < begin_s + 0.1 || calls.at_s.size() < 2) backoff.pause();
    EXPECT_EQ(calls.since_s, begin_s);
    // A call may be seen late, when others have the core, but none comes before its turn.
    for (std::size_t i = 0; i < calls.at_s.size(); ++i) {
        EXPECT_GE(calls.at_s[i], begin_s + static_cast<double>(i + 1) * 1e-3 - 1e-9);
    }
}

} // namespace
} // namespace pillar::comm
