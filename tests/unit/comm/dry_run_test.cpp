// The communicator of one rank that plays another: what it counts, and what it delivers.

#include "pillar/comm/dry_run.hpp"

#include "pillar/comm/schedule.hpp"
#include "pillar/core/errors.hpp"

#include <array>
#include <cstring>
#include <gtest/gtest.h>
#include <vector>

namespace pillar::comm {
namespace {

TEST(DryRun, CountsWhatThePlayedRankSendsAndAddsNothing) {
    const auto comm =
        make_dry_run(2, 6, {Algorithm::direct, Algorithm::reduce_scatter, 4}, Wire::f16);
    EXPECT_EQ(comm->rank(), 0);
    EXPECT_EQ(comm->size(), 6);
    std::vector<float> values = {1, 2, 3, 4};
    comm->allreduce(values);
    EXPECT_EQ(values, (std::vector<float>{1, 2, 3, 4}));
    // direct: the whole vector, 2 bytes a value, to each of the 5 others
    EXPECT_EQ(comm->step_traffic(), (Traffic{40, 5}));
    values.resize(6, 0); // two-step: a value to each of the others, its own sum to each
    comm->allreduce(values);
    EXPECT_EQ(comm->step_traffic(), (Traffic{60, 15}));
    comm->exact_allreduce(std::span(values).first(2)); // in f32
    EXPECT_EQ(comm->step_traffic(), (Traffic{100, 20}));
    comm->start_allreduce(std::span(values).first(4));
    EXPECT_EQ(comm->step_traffic(), (Traffic{100, 20}));
    comm->finish_allreduce();
    EXPECT_EQ(comm->step_traffic(), (Traffic{140, 25}));
}

TEST(DryRun, DeliversItsOwnMessageAsEverybodys) {
    const auto comm = make_dry_run(2, 6, only(Algorithm::direct), Wire::f32);
    std::array<std::byte, 16> message{};
    EXPECT_EQ(comm->broadcast(message, 10), 10U);
    EXPECT_EQ(comm->step_traffic(), (Traffic{10, 1})) << "rank 2 of 6 passes it on to rank 3";
    message[3] = std::byte{7};
    GatherBuffer all(6, 16);
    comm->gather(message, all);
    for (int rank = 0; rank < 6; ++rank) EXPECT_EQ(all.of(rank)[3], std::byte{7});
    // its own and rank 3's, each behind a head of 8
    EXPECT_EQ(comm->step_traffic(), (Traffic{10 + 2 * (8 + 16), 2}));
    EXPECT_EQ(comm->all_gather("x"), std::vector<std::string>(6, "x"));
}

TEST(DryRun, RefusesWhatDoesNotGoTogether) {
    EXPECT_THROW(make_dry_run(0, 2, only(Algorithm::ring), Wire::q8), UsageError);
}

} // namespace
} // namespace pillar::comm
