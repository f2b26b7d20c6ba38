// A network slower than the machine: nothing arrives early, nothing else changes. Times are held
// against lower bounds alone, which hold on an oversubscribed machine too.

#include "pillar/comm/agree.hpp"
#include "pillar/comm/schedule.hpp"
#include "pillar/core/timing.hpp"
#include "support/ranks/mpi_main.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <vector>

namespace pillar::comm {
namespace {

constexpr NetworkModel network{3e-3, 1e-6};

std::unique_ptr<Communicator> emulated_world(Algorithm algorithm = Algorithm::recursive_doubling) {
    return support::mpi_environment().world(algorithm, Wire::f32, network);
}

struct Times {
    std::vector<double> begin_s, end_s;
};

/// Collective. When each rank came into `call` and left it: all read one clock.
template <class Call>
Times times_of(Communicator& comm, Call&& call) {
    comm.barrier();
    const double begin_s = monotonic_s();
    call();
    const double end_s = monotonic_s();
    Times times;
    for (const std::string& one : comm.all_gather(fmt::format("{:.9f} {:.9f}", begin_s, end_s))) {
        times.begin_s.push_back(std::stod(one));
        times.end_s.push_back(std::stod(one.substr(one.find(' '))));
    }
    return times;
}

constexpr double clock_step_s = 2e-9; // of the text

TEST(emulated_network, holds_back_what_the_last_rank_sent) {
    for (const auto algorithm : {Algorithm::recursive_doubling, Algorithm::direct,
                                 Algorithm::reduce_scatter, Algorithm::ring}) {
        const auto comm = emulated_world(algorithm);
        if (comm->size() == 1) GTEST_SKIP() << "nobody to wait for: runs on 2 ranks and more";
        std::vector<float> values(500, 1.0F);
        for (const bool in_background : {false, true}) {
            const Times times = times_of(*comm, [&] {
                if (!in_background) return comm->allreduce(values);
                comm->start_allreduce(values);
                for (int i = 0; i < 100; ++i) comm->advance_allreduce();
                comm->finish_allreduce();
            });
            const auto last = std::ranges::max_element(times.begin_s) - times.begin_s.begin();
            const std::size_t min_floats = // in the shortest message
                algorithm == Algorithm::reduce_scatter || algorithm == Algorithm::ring
                    ? values.size() / static_cast<std::size_t>(comm->size())
                    : values.size();
            const double min_s =
                network.latency_s + 4 * static_cast<double>(min_floats) * network.s_per_byte;
            for (int rank = 0; rank < comm->size(); ++rank) {
                if (rank == last) continue;
                EXPECT_GE(times.end_s[static_cast<std::size_t>(rank)] + clock_step_s,
                          times.begin_s[static_cast<std::size_t>(last)] + min_s)
                    << name_of(algorithm) << ", rank " << rank;
            }
        }
        EXPECT_EQ(values[499], static_cast<float>(comm->size() * comm->size()));
    }
}

TEST(emulated_network, lets_messages_to_one_rank_queue_up) {
    const auto comm = emulated_world(Algorithm::direct);
    if (comm->size() == 1) GTEST_SKIP() << "nobody to wait for: runs on 2 ranks and more";
    std::vector<float> values(500, 1.0F);
    const Times times = times_of(*comm, [&] { comm->allreduce(values); });
    const double first_s = *std::ranges::min_element(times.begin_s);
    const double all_bytes_s =
        static_cast<double>((comm->size() - 1) * 4 * 500) * network.s_per_byte;
    for (const double end_s : times.end_s) {
        EXPECT_GE(end_s + clock_step_s, first_s + network.latency_s + all_bytes_s);
    }
}

TEST(emulated_network, adds_up_along_the_tree_of_a_broadcast_and_of_a_gather) {
    const auto comm = emulated_world();
    std::vector<std::byte> buffer(1000);
    const double hop_s = network.latency_s + 1000 * network.s_per_byte;
    const Times broadcast = times_of(*comm, [&] { comm->broadcast(buffer, 1000); });
    for (int rank = 0; rank < comm->size(); ++rank) {
        int depth = 0;
        for (int r = rank; r > 0; r = binomial_tree(r, comm->size()).parent) ++depth;
        EXPECT_GE(broadcast.end_s[static_cast<std::size_t>(rank)] + clock_step_s,
                  broadcast.begin_s[0] + depth * hop_s);
    }
    GatherBuffer all(comm->size(), 1000);
    const Times gather = times_of(*comm, [&] { comm->gather(buffer, all); });
    for (int rank = 1; rank < comm->size(); ++rank) {
        EXPECT_GE(gather.end_s[0] + clock_step_s,
                  gather.begin_s[static_cast<std::size_t>(rank)] + hop_s);
    }
}

TEST(emulated_network, counts_its_stamps_apart) {
    const auto comm = emulated_world(Algorithm::reduce_scatter);
    const Traffic before = comm->other_traffic();
    std::vector<float> values(100);
    comm->allreduce(values);
    const Traffic expected =
        allreduce_traffic(Algorithm::reduce_scatter, Wire::f32, comm->rank(), comm->size(), 100);
    EXPECT_EQ(comm->step_traffic().bytes_sent, expected.bytes_sent);
    EXPECT_EQ(comm->step_traffic().messages_sent, expected.messages_sent);
    const Traffic& after = comm->other_traffic();
    EXPECT_EQ(after.messages_sent - before.messages_sent, expected.messages_sent);
    EXPECT_EQ(after.bytes_sent - before.bytes_sent, 16 * expected.messages_sent);
}

TEST(emulated_network, does_not_go_with_mpis_own_all_reduce) {
    try {
        emulated_world(Algorithm::mpi);
        ADD_FAILURE() << "accepted";
    } catch (const AgreedError& error) {
        EXPECT_EQ(error.code(), ExitCode::usage);
        EXPECT_THAT(error.what(), testing::HasSubstr("--allreduce mpi"));
    }
}

} // namespace
} // namespace pillar::comm
