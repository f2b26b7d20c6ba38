// Sums over the ranks: exact where floats are exact, and bit for bit the balanced tree everywhere.

#include "pillar/comm/schedule.hpp"
#include "support/ranks/mpi_main.hpp"

#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <limits>
#include <mpi.h>
#include <random>
#include <vector>

namespace pillar::comm {
namespace {

using support::world;

constexpr std::size_t lengths[] = {0, 1, 2, 7, 8, 9, 33, 576, 1023, 4096, 20'001};
constexpr Algorithm all_algorithms[] = {Algorithm::mpi, Algorithm::recursive_doubling,
                                        Algorithm::ring, Algorithm::direct,
                                        Algorithm::reduce_scatter};

/// Whole numbers, so that every order of adding gives the same sum.
std::vector<float> whole_numbers(int rank, std::size_t n) {
    std::vector<float> values(n);
    for (std::size_t i = 0; i < n; ++i) {
        values[i] = static_cast<float>((i * 7 + static_cast<std::size_t>(rank) * 13) % 1009) - 500;
    }
    return values;
}

/// Values of very different size, signed zeros and subnormals among them: the order shows.
std::vector<float> rough_numbers(int rank, std::size_t n) {
    std::mt19937 generator(static_cast<unsigned>(rank) + 1);
    std::vector<float> values(n);
    for (float& value : values) {
        const auto bits = generator();
        const float mantissa = 1.0F + static_cast<float>(bits % 8'388'608) / 8'388'608.0F;
        value = std::ldexp(bits % 2 == 0 ? mantissa : -mantissa, static_cast<int>(bits >> 28) - 8);
        if (bits % 31 == 0) value = 0.0F;
        if (bits % 37 == 0) value = -0.0F;
        if (bits % 41 == 0) value = std::numeric_limits<float>::denorm_min();
    }
    return values;
}

std::vector<float> add(std::vector<float> a, const std::vector<float>& b) {
    for (std::size_t i = 0; i < a.size(); ++i) a[i] += b[i];
    return a;
}

/// The tree added up by one process, leaf by leaf.
std::vector<float> tree_sum(std::vector<std::vector<float>> leaves) {
    const auto n_doubling =
        static_cast<std::size_t>(power_of_two_below(static_cast<int>(leaves.size())));
    for (std::size_t i = n_doubling; i < leaves.size(); ++i) {
        leaves[i - n_doubling] = add(leaves[i - n_doubling], leaves[i]);
    }
    leaves.resize(n_doubling);
    while (leaves.size() > 1) {
        std::vector<std::vector<float>> parents;
        for (std::size_t i = 0; i < leaves.size(); i += 2) {
            parents.push_back(add(leaves[i], leaves[i + 1]));
        }
        leaves = std::move(parents);
    }
    return leaves.front();
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
    return a.size() == b.size() &&
           (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

TEST(allreduce, of_whole_numbers_is_exact_and_equals_mpis) {
    for (const Algorithm algorithm : all_algorithms) {
        const auto comm = world(algorithm);
        for (const std::size_t n : lengths) {
            std::vector<float> expected(n, 0.0F);
            for (int r = 0; r < comm->size(); ++r) expected = add(expected, whole_numbers(r, n));
            std::vector<float> by_mpi = whole_numbers(comm->rank(), n);
            MPI_Allreduce(MPI_IN_PLACE, by_mpi.data(), static_cast<int>(n), MPI_FLOAT, MPI_SUM,
                          MPI_COMM_WORLD);
            std::vector<float> values = whole_numbers(comm->rank(), n);
            comm->allreduce(values);
            EXPECT_EQ(values, expected) << name_of(algorithm) << ", " << n;
            EXPECT_EQ(values, by_mpi) << name_of(algorithm) << ", " << n;
        }
    }
}

TEST(allreduce, adds_in_the_balanced_tree_of_the_ranks) {
    for (const Algorithm algorithm : tree_algorithms(Wire::f32)) {
        const auto comm = world(algorithm);
        for (const std::size_t n : lengths) {
            std::vector<std::vector<float>> leaves;
            for (int r = 0; r < comm->size(); ++r) leaves.push_back(rough_numbers(r, n));
            std::vector<float> values = rough_numbers(comm->rank(), n);
            comm->allreduce(values);
            EXPECT_TRUE(same_bits(values, tree_sum(std::move(leaves))))
                << name_of(algorithm) << ", " << n << " values";
        }
    }
}

TEST(allreduce, by_the_ring_has_the_same_bits_on_all_ranks) {
    const auto comm = world(Algorithm::ring);
    for (const std::size_t n : lengths) {
        std::vector<float> values = rough_numbers(comm->rank(), n);
        comm->allreduce(values);
        std::vector<float> of_rank_0 = values;
        MPI_Bcast(of_rank_0.data(), static_cast<int>(n), MPI_FLOAT, 0, MPI_COMM_WORLD);
        EXPECT_TRUE(same_bits(values, of_rank_0)) << n << " values";
    }
}

TEST(allreduce, of_eight_slices_has_the_same_bits_on_1_2_4_8_ranks) {
    for (const Algorithm algorithm : tree_algorithms(Wire::f32)) {
        const auto comm = world(algorithm);
        if (8 % comm->size() != 0) {
            GTEST_SKIP() << "slices do not nest in " << comm->size()
                         << " ranks: runs on 1, 2, 4 and 8";
        }
        constexpr std::size_t n = 4099;
        const int n_own = 8 / comm->size();
        std::vector<std::vector<float>> own;
        std::vector<std::vector<float>> all;
        for (int s = 0; s < 8; ++s) {
            all.push_back(rough_numbers(s, n));
            if (s / n_own == comm->rank()) own.push_back(all.back());
        }
        std::vector<float> values = tree_sum(std::move(own));
        comm->allreduce(values);
        EXPECT_TRUE(same_bits(values, tree_sum(std::move(all)))) << name_of(algorithm);
    }
}

TEST(allreduce, of_negative_zeros_stays_negative_and_meets_positive_ones) {
    for (const Algorithm algorithm : tree_algorithms(Wire::f32)) {
        const auto comm = world(algorithm);
        std::vector<float> values = {-0.0F, comm->rank() == 0 ? 0.0F : -0.0F};
        comm->allreduce(values);
        EXPECT_TRUE(std::signbit(values[0]));
        EXPECT_FALSE(std::signbit(values[1]));
    }
}

/// More lengths and places than plans are kept, in memory that comes and goes.
TEST(allreduce, keeps_many_calls_in_a_row_apart) {
    for (const Algorithm algorithm : all_algorithms) {
        const auto comm = world(algorithm);
        for (int call = 0; call < 200; ++call) {
            const auto n = static_cast<std::size_t>(1 + call * 7 % 50);
            std::vector<float> values(n, static_cast<float>(call + comm->rank()));
            comm->allreduce(values);
            const int p = comm->size();
            const std::vector<float> expected(n, static_cast<float>(call * p + p * (p - 1) / 2));
            EXPECT_EQ(values, expected) << name_of(algorithm) << ", call " << call;
        }
    }
}

/// Every algorithm with each wire that it offers.
std::vector<std::pair<Algorithm, Wire>> offered_pairs() {
    std::vector<std::pair<Algorithm, Wire>> pairs;
    for (const Algorithm algorithm : all_algorithms) pairs.emplace_back(algorithm, Wire::f32);
    for (const Wire wire : {Wire::f16, Wire::q8}) {
        for (const Algorithm algorithm : tree_algorithms(wire)) pairs.emplace_back(algorithm, wire);
    }
    return pairs;
}

/// Messages of earlier phases may come while this rank computes, or only when it waits.
TEST(allreduce, in_the_background_gives_the_same_bits_and_counts) {
    for (const auto& [algorithm, wire] : offered_pairs()) {
        const auto comm = world(algorithm, wire);
        for (const std::size_t n : lengths) {
            for (const int n_advances : {0, 3, 300}) {
                StepTimeline timeline;
                timeline.collectives.reserve(2);
                comm->record_into(&timeline);
                std::vector<float> expected = rough_numbers(comm->rank(), n);
                comm->allreduce(expected);
                const Traffic one = timeline.traffic;
                std::vector<float> values = rough_numbers(comm->rank(), n);
                comm->start_allreduce(values);
                for (int i = 0; i < n_advances; ++i) comm->advance_allreduce();
                comm->finish_allreduce();
                EXPECT_TRUE(same_bits(values, expected))
                    << name_of(algorithm) << ", " << name_of(wire) << ", " << n << " values";
                EXPECT_EQ(timeline.traffic.bytes_sent, 2 * one.bytes_sent);
                EXPECT_EQ(timeline.traffic.messages_sent, 2 * one.messages_sent);
                ASSERT_EQ(timeline.collectives.size(), 2u);
                EXPECT_EQ(timeline.collectives[1].bytes, n * sizeof(float));
                comm->record_into(nullptr);
            }
        }
    }
}

/// On a wire that rounds: the bits and the messages of one that does not.
TEST(exact_allreduce, is_in_f32_on_every_wire) {
    for (const auto& [algorithm, wire] : offered_pairs()) {
        const auto comm = world(algorithm, wire), exact = world(algorithm);
        for (const std::size_t n : {std::size_t{2}, std::size_t{77}, std::size_t{300}}) {
            std::vector<float> expected = rough_numbers(comm->rank(), n);
            std::vector<float> values = expected, moved = expected;
            exact->allreduce(expected);
            const Traffic before = comm->step_traffic();
            comm->exact_allreduce(values);
            const std::uint64_t n_bytes = comm->step_traffic().bytes_sent - before.bytes_sent;
            EXPECT_TRUE(same_bits(values, expected)) << name_of(algorithm) << name_of(wire);
            EXPECT_EQ(
                n_bytes,
                allreduce_traffic(algorithm, Wire::f32, comm->rank(), comm->size(), n).bytes_sent);
            comm->start_exact_allreduce(moved);
            comm->advance_allreduce();
            comm->finish_allreduce();
            EXPECT_TRUE(same_bits(moved, expected)) << name_of(algorithm) << name_of(wire);
        }
    }
}

/// Without the rank that is away in finish_allreduce(): its messages move while it computes.
TEST(allreduce, in_the_background_moves_while_a_rank_computes) {
    constexpr std::size_t n = std::size_t{1} << 18; // beyond what MPI sends before it is asked for
    for (const Algorithm algorithm : tree_algorithms(Wire::f32)) {
        const auto comm = world(algorithm);
        if (comm->size() == 1) GTEST_SKIP() << "nobody to wait for: runs on 2 ranks and more";
        std::vector<float> values(n, 1.0F);
        comm->start_allreduce(values);
        if (comm->rank() == 0) {
            // The others finish without any wait of this rank; then they say so.
            std::vector<MPI_Request> done(static_cast<std::size_t>(comm->size()) - 1);
            for (int r = 1; r < comm->size(); ++r)
                MPI_Irecv(nullptr, 0, MPI_BYTE, r, 7, MPI_COMM_WORLD,
                          &done[static_cast<std::size_t>(r) - 1]);
            for (int are_done = 0; are_done == 0;) {
                comm->advance_allreduce();
                MPI_Testall(static_cast<int>(done.size()), done.data(), &are_done,
                            MPI_STATUSES_IGNORE);
            }
        }
        comm->finish_allreduce();
        if (comm->rank() != 0) MPI_Send(nullptr, 0, MPI_BYTE, 0, 7, MPI_COMM_WORLD);
        EXPECT_EQ(values[n - 1], static_cast<float>(comm->size())) << name_of(algorithm);
    }
}

TEST(allreduce, takes_the_algorithm_chosen_for_the_length) {
    const auto comm = world();
    comm->choose({Algorithm::direct, Algorithm::reduce_scatter, 100});
    comm->reserve(1000);
    for (const std::size_t n : {100, 101, 99, 1000, 100}) {
        const Traffic before = comm->step_traffic();
        std::vector<float> values = whole_numbers(comm->rank(), n);
        std::vector<float> expected(n, 0.0F);
        for (int r = 0; r < comm->size(); ++r) expected = add(expected, whole_numbers(r, n));
        comm->allreduce(values);
        EXPECT_EQ(values, expected);
        const Traffic one =
            allreduce_traffic(n <= 100 ? Algorithm::direct : Algorithm::reduce_scatter, Wire::f32,
                              comm->rank(), comm->size(), n);
        EXPECT_EQ(comm->step_traffic().bytes_sent - before.bytes_sent, one.bytes_sent);
        EXPECT_EQ(comm->step_traffic().messages_sent - before.messages_sent, one.messages_sent);
    }
}

TEST(allreduce, counts_and_times_what_its_schedule_says) {
    for (const auto& [algorithm, wire] : offered_pairs()) {
        const auto comm = world(algorithm, wire);
        StepTimeline timeline;
        timeline.collectives.reserve(std::size(lengths));
        comm->record_into(&timeline);
        const Traffic before = comm->other_traffic();
        Traffic expected;
        for (const std::size_t n : lengths) {
            std::vector<float> values(n);
            comm->allreduce(values);
            const Traffic one = allreduce_traffic(algorithm, wire, comm->rank(), comm->size(), n);
            expected.bytes_sent += one.bytes_sent;
            expected.messages_sent += one.messages_sent;
        }
        EXPECT_EQ(comm->step_traffic().bytes_sent, expected.bytes_sent);
        EXPECT_EQ(comm->step_traffic().messages_sent, expected.messages_sent);
        EXPECT_EQ(timeline.traffic.bytes_sent, expected.bytes_sent);
        EXPECT_EQ(timeline.traffic.messages_sent, expected.messages_sent);
        EXPECT_EQ(comm->other_traffic().bytes_sent, before.bytes_sent);
        EXPECT_EQ(timeline.collectives.size(), std::size(lengths));
        double last_s = 0;
        for (std::size_t i = 0; i < timeline.collectives.size(); ++i) {
            const CollectiveTiming& timing = timeline.collectives[i];
            EXPECT_EQ(timing.kind, CollectiveKind::allreduce);
            EXPECT_EQ(timing.bytes, lengths[i] * sizeof(float));
            EXPECT_LE(last_s, timing.begin_s);
            EXPECT_LE(timing.begin_s, timing.end_s);
            last_s = timing.end_s;
        }
    }
}

} // namespace
} // namespace pillar::comm
