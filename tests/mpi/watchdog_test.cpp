// The watchdog while nothing is wrong. What it does when a rank is silent ends the job:
// job/silent_rank.sh.

#include "liveness/progress.hpp"

#include "liveness/time_limit.hpp"
#include "pillar/comm/schedule.hpp"
#include "pillar/core/timing.hpp"
#include "support/ranks/dry_run.hpp"
#include "support/ranks/mpi_main.hpp"

#include <chrono>
#include <cmath>
#include <fmt/format.h>
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
    comm->set_in_steps(true);
    GatherBuffer all(comm->size(), 64);
    const Traffic other = comm->other_traffic();
    const auto counted =
        support::make_dry_run(comm->rank(), comm->size(), Algorithm::recursive_doubling, Wire::f32);
    for (int step = 0; step < 50; ++step) {
        make_step(*comm, all);
        make_step(*counted, all);
        comm->heartbeat(); // as between the products of a step
    }
    EXPECT_EQ(comm->other_traffic().messages_sent, other.messages_sent);
    EXPECT_EQ(comm->step_traffic().messages_sent, counted->step_traffic().messages_sent);
    EXPECT_EQ(comm->step_traffic().bytes_sent, counted->step_traffic().bytes_sent);
}

/// Busy for longer than limit and grace together, before a collective of a step or of setup.
void be_busy_before(bool in_steps) {
    const auto comm =
        world(Algorithm::recursive_doubling, Wire::f32, {.step_s = 0.2, .setup_s = 0.2});
    if (comm->size() == 1) GTEST_SKIP() << "nobody to wait for: runs on 2 ranks and more";
    comm->set_in_steps(in_steps);
    comm->barrier();
    const Traffic before = comm->other_traffic();
    if (comm->is_root()) {
        const double begin_s = monotonic_s();
        while (monotonic_s() < begin_s + 3) {
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
            comm->heartbeat();
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

/// Of a step with 30 layers: what is said during each of its all-reduces.
void expect_layers(std::uint32_t allreduces_a_layer) {
    Progress progress{.step = 8,
                      .allreduces_a_layer = allreduces_a_layer,
                      .kind = CollectiveKind::allreduce,
                      .stage = Stage::steps,
                      .is_step = true};
    for (int layer = 0; layer < 30; ++layer) {
        for (std::uint32_t i = 0; i < allreduces_a_layer; ++i) {
            ++progress.n_allreduces;
            EXPECT_EQ(describe(progress), fmt::format("in layer {} of step 7", layer));
        }
    }
}

TEST(progress, names_the_layer_of_a_step_and_of_a_step_in_halves) {
    expect_layers(2);
    expect_layers(4);
}

TEST(time_limit, of_the_start_follows_what_is_given) {
    EXPECT_EQ(TimeLimit(WatchLimits{}).of_start_s(), 60);
    EXPECT_EQ(TimeLimit(WatchLimits{.step_s = 1}).of_start_s(), 5);
    EXPECT_EQ(TimeLimit(WatchLimits{.step_s = 20}).of_start_s(), 20);
    EXPECT_TRUE(std::isinf(TimeLimit(WatchLimits{.step_s = -1}).of_start_s()));
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
