// Messages of two ranks alone, while the others wait.

#include "pillar/measure/network.hpp"

#include "support/ranks/mpi_main.hpp"

#include <gtest/gtest.h>

namespace pillar::comm {
namespace {

TEST(round_trips, are_counted_apart_and_leave_the_ranks_together) {
    const auto comm = support::world();
    std::vector<int> ranks;
    for (int rank = 0; rank < comm->size(); ++rank) ranks.push_back(rank);
    const auto pairs = measure::pairs_of(ranks);
    std::size_t n_mine = 0;
    measure::for_each_pair(*comm, pairs, [&](const measure::Pair& pair) {
        const int peer = pair.a == comm->rank() ? pair.b : pair.a;
        for (const bool together : {false, true})
            for (const std::size_t n_bytes : {0u, 1u, 100'000u}) {
                const Traffic before = comm->other_traffic();
                const auto times_s = comm->round_trips(peer, n_bytes, 4, together);
                const Traffic& after = comm->other_traffic();
                EXPECT_EQ(times_s.size(), 4u);
                for (const double time_s : times_s) EXPECT_GT(time_s, 0);
                EXPECT_EQ(after.messages_sent - before.messages_sent, 7u); // 3 to warm up
                EXPECT_EQ(after.bytes_sent - before.bytes_sent, 7 * n_bytes);
            }
        ++n_mine;
    });
    EXPECT_EQ(n_mine, ranks.size() - 1);
    EXPECT_EQ(comm->step_traffic().messages_sent, 0u);
    EXPECT_EQ(comm->all_gather("x").size(), ranks.size());
}

TEST(link, has_times_on_its_lower_rank) {
    const auto comm = support::world();
    if (comm->size() < 2) GTEST_SKIP() << "one rank has no link: runs on 2 ranks and more";
    const measure::Pair pair{0, 1};
    measure::for_each_pair(*comm, std::span(&pair, 1), [&](const measure::Pair&) {
        const measure::LinkTimes link = measure::measure_link(*comm, 1 - comm->rank());
        EXPECT_GT(link.n_payload_bytes, 1'000'000u);
        if (comm->rank() != 0) return;
        EXPECT_GE(link.fit.latency_s, 0);
        EXPECT_GT(link.fit.latency_s + link.fit.s_per_byte, 0);
        EXPECT_GE(link.s_per_byte_both_ways, link.fit.s_per_byte);
        EXPECT_GE(link.s_per_byte_long, link.fit.s_per_byte);
    });
}

} // namespace
} // namespace pillar::comm
