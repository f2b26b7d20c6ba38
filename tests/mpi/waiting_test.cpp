// Waiting: nobody burns a core while rank 0 is away, and the hook is called.

#include "pillar/core/stopwatch.hpp"
#include "support/mpi_main.hpp"

#include <algorithm>
#include <chrono>
#include <gtest/gtest.h>
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
    if (comm->size() == 1) GTEST_SKIP() << "nobody to wait for";
    StepTimeline timeline;
    timeline.collectives.reserve(1);
    comm->record_into(&timeline);
    std::vector<std::byte> buffer(16);
    comm->barrier();
    if (comm->is_root()) be_away();
    comm->broadcast(buffer, 16);
    const CollectiveTiming& timing = timeline.collectives.at(0);
    if (comm->is_root()) {
        EXPECT_LT(timing.end_s - timing.begin_s, away_s / 2);
    } else {
        EXPECT_GT(timing.end_s - timing.begin_s, away_s / 2);
    }
}

void count_call(void* context) {
    static_cast<std::vector<double>*>(context)->push_back(monotonic_s());
}

TEST(waiting, calls_the_hook_at_most_once_a_millisecond) {
    const auto comm = world();
    if (comm->size() == 1) GTEST_SKIP() << "nobody to wait for";
    for (const bool in_broadcast : {true, false}) {
        std::vector<double> calls_s;
        std::vector<std::byte> buffer(16);
        std::vector<float> values(16);
        comm->barrier();
        comm->set_poll_hook(count_call, &calls_s);
        if (comm->is_root()) be_away();
        if (in_broadcast) {
            comm->broadcast(buffer, 16);
        } else {
            comm->allreduce(values);
        }
        comm->set_poll_hook(nullptr, nullptr);
        comm->barrier();
        if (comm->is_root()) continue;
        EXPECT_GT(calls_s.size(), 1u); // few on a crowded machine
        for (std::size_t i = 1; i < calls_s.size(); ++i) {
            EXPECT_GT(calls_s[i] - calls_s[i - 1], 0.9e-3);
        }
    }
}

} // namespace
} // namespace pillar::comm
