// The watchdog while nothing is wrong. What it does when a rank is silent ends the job:
// silent_rank.sh.

#include "pillar/core/stopwatch.hpp"
#include "support/mpi_main.hpp"
#include "time_limit.hpp"

#include <chrono>
#include <cmath>
#include <gtest/gtest.h>
#include <thread>
#include <vector>

namespace pillar::comm {
namespace {

using support::world;

void make_step(Communicator& comm, GatherBuffer& all) {
    std::vector<std::byte> buffer(64);
    std::vector<float> values(64);
    comm.broadcast(buffer, 64);
    for (int i = 0; i < 4; ++i) comm.allreduce(values);
    comm.gather(buffer, all);
}

TEST(watchdog, sends_nothing_in_normal_steps) {
    const auto comm = world();
    comm->watch({});
    comm->set_in_steps(true);
    GatherBuffer all(comm->size(), 64);
    const Traffic other = comm->other_traffic();
    const Traffic unwatched = [&] {
        const auto plain = world();
        for (int step = 0; step < 50; ++step) make_step(*plain, all);
        return plain->step_traffic();
    }();
    for (int step = 0; step < 50; ++step) make_step(*comm, all);
    EXPECT_EQ(comm->other_traffic().messages_sent, other.messages_sent);
    EXPECT_EQ(comm->step_traffic().messages_sent, unwatched.messages_sent);
    EXPECT_EQ(comm->step_traffic().bytes_sent, unwatched.bytes_sent);
}

/// Busy for longer than limit and grace together, before a collective of a step or of setup.
void be_busy_before(bool in_steps) {
    const auto comm = world();
    if (comm->size() == 1) GTEST_SKIP() << "nobody to wait for: runs on 2 ranks and more";
    WatchLimits limits;
    limits.step_s = limits.setup_s = 0.2;
    comm->watch(limits);
    comm->set_in_steps(in_steps);
    comm->barrier();
    const Traffic before = comm->other_traffic();
    if (comm->is_root()) {
        const double begin_s = monotonic_s();
        while (monotonic_s() < begin_s + 3) {
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
            comm->attend();
        }
    }
    std::vector<std::byte> buffer(16);
    comm->broadcast(buffer, 16);
    comm->broadcast_from_root({});
    // the others have asked and all have answered: questions and answers are counted
    const auto n_others = static_cast<std::uint64_t>(comm->size()) - 1;
    EXPECT_GE(comm->other_traffic().messages_sent - before.messages_sent,
              comm->is_root() ? n_others : 2 * n_others);
}

TEST(watchdog, lets_a_rank_be_busy_that_attends) {
    be_busy_before(true);
}

TEST(watchdog, lets_a_rank_load_that_attends) {
    be_busy_before(false);
}

TEST(time_limit, is_twenty_median_steps_and_at_least_half_a_minute) {
    TimeLimit limit(WatchLimits{});
    EXPECT_EQ(limit.of_steps_s(), 30);
    limit.note_step(400); // one slow step among many
    for (int step = 0; step < 20; ++step) limit.note_step(0.5);
    EXPECT_EQ(limit.of_steps_s(), 30);
    for (int step = 0; step < 20; ++step) limit.note_step(4);
    EXPECT_EQ(limit.of_steps_s(), 80);
    EXPECT_EQ(limit.of_setup_s(), 600);
}

TEST(time_limit, that_is_given_holds_for_steps_alone) {
    TimeLimit limit(WatchLimits{.step_s = 2});
    for (int step = 0; step < 50; ++step) limit.note_step(4);
    EXPECT_EQ(limit.of_steps_s(), 2);
    EXPECT_EQ(limit.of_setup_s(), 600);
    EXPECT_EQ(TimeLimit(WatchLimits{.step_s = 1000}).of_setup_s(), 1000);
}

TEST(time_limit, can_be_none) {
    const TimeLimit limit(WatchLimits{.step_s = -1});
    EXPECT_TRUE(std::isinf(limit.of_steps_s()));
    EXPECT_TRUE(std::isinf(limit.of_setup_s()));
}

} // namespace
} // namespace pillar::comm
