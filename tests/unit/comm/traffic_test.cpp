// The closed forms held against the schedules they belong to.

#include "pillar/comm/schedule.hpp"

#include <gtest/gtest.h>

namespace pillar::comm {
namespace {

constexpr int max_ranks = 17;

Traffic sum_over_ranks(Algorithm algorithm, int size, std::size_t n) {
    Traffic sum;
    for (int rank = 0; rank < size; ++rank) {
        const Traffic one = allreduce_traffic(algorithm, Wire::f32, rank, size, n);
        sum.bytes_sent += one.bytes_sent;
        sum.messages_sent += one.messages_sent;
    }
    return sum;
}

TEST(allreduce_traffic, of_recursive_doubling_is_what_its_schedule_sends) {
    for (int size = 1; size <= max_ranks; ++size) {
        for (int rank = 0; rank < size; ++rank) {
            std::uint64_t n_sends = 0;
            for (const Exchange& exchange : recursive_doubling(rank, size)) {
                n_sends += exchange.kind == Exchange::Kind::swap ||
                           exchange.kind == Exchange::Kind::fold_send ||
                           exchange.kind == Exchange::Kind::result_send;
            }
            const Traffic expected{n_sends * 4 * 1001, n_sends};
            EXPECT_TRUE(allreduce_traffic(Algorithm::recursive_doubling, Wire::f32, rank, size,
                                          1001) == expected)
                << rank << " of " << size;
        }
    }
}

TEST(allreduce_traffic, of_one_rank_is_nothing) {
    for (const auto algorithm : {Algorithm::mpi, Algorithm::recursive_doubling, Algorithm::ring,
                                 Algorithm::direct, Algorithm::reduce_scatter}) {
        EXPECT_TRUE(allreduce_traffic(algorithm, Wire::f32, 0, 1, 1000) == Traffic{});
    }
}

/// In step s of its phase a rank passes on segment (start − s) mod P, start = rank, then rank + 1.
Traffic ring_step_by_step(int rank, int size, std::size_t n) {
    Traffic sent;
    const auto p = static_cast<std::size_t>(size);
    for (int start = rank; start <= rank + 1; ++start) {
        for (int s = 0; s < size - 1; ++s) {
            const auto i = static_cast<std::size_t>((start - s + size) % size);
            sent.bytes_sent += 4 * ((i + 1) * n / p - i * n / p);
            ++sent.messages_sent;
        }
    }
    return sent;
}

TEST(allreduce_traffic, of_the_ring_leaves_out_one_segment_in_each_phase) {
    for (int size = 2; size <= max_ranks; ++size) {
        for (int rank = 0; rank < size; ++rank) {
            for (const std::size_t n : {0, 1, 5, 1001}) {
                EXPECT_TRUE(allreduce_traffic(Algorithm::ring, Wire::f32, rank, size, n) ==
                            ring_step_by_step(rank, size, n))
                    << rank << " of " << size << ", " << n;
            }
        }
    }
}

TEST(allreduce_traffic, of_all_ranks_together_is_the_known_total) {
    for (int size = 2; size <= max_ranks; ++size) {
        const auto p = static_cast<std::uint64_t>(size);
        const std::uint64_t vector_bytes = 4 * 1001;
        EXPECT_TRUE(sum_over_ranks(Algorithm::ring, size, 1001) ==
                    (Traffic{2 * (p - 1) * vector_bytes, 2 * p * (p - 1)}));
        EXPECT_TRUE(sum_over_ranks(Algorithm::reduce_scatter, size, 1001) ==
                    (Traffic{2 * (p - 1) * vector_bytes, 2 * p * (p - 1)}));
        EXPECT_TRUE(sum_over_ranks(Algorithm::direct, size, 1001) ==
                    (Traffic{p * (p - 1) * vector_bytes, p * (p - 1)}));
    }
}

TEST(allreduce_traffic, halves_its_bytes_on_an_f16_wire) {
    const Traffic full = allreduce_traffic(Algorithm::direct, Wire::f32, 1, 4, 100);
    const Traffic half = allreduce_traffic(Algorithm::direct, Wire::f16, 1, 4, 100);
    EXPECT_EQ(full.bytes_sent, 3u * 400);
    EXPECT_EQ(half.bytes_sent, 3u * 200);
    EXPECT_EQ(half.messages_sent, full.messages_sent);
}

TEST(allreduce_traffic, of_reduce_scatter_on_a_q8_wire_encodes_each_part_for_itself) {
    // parts of 33, 33 and 34 of 100 values: 45, 45 and 46 bytes
    const Traffic one = allreduce_traffic(Algorithm::reduce_scatter, Wire::q8, 0, 3, 100);
    EXPECT_EQ(one.bytes_sent, 45u + 46 + 2 * 45);
    EXPECT_EQ(one.messages_sent, 4u);
}

TEST(allreduce_chain, is_what_the_cost_model_of_each_algorithm_says) {
    const auto chain = [](Algorithm algorithm, int size) {
        const Chain c = allreduce_chain(algorithm, Wire::f32, size, 1000);
        return std::pair(c.n_messages, c.n_bytes);
    };
    EXPECT_EQ(chain(Algorithm::direct, 1), std::pair(0UL, 0UL));
    for (const Algorithm algorithm : {Algorithm::recursive_doubling, Algorithm::direct}) {
        EXPECT_EQ(chain(algorithm, 2), std::pair(1UL, 4000UL));
    }
    EXPECT_EQ(chain(Algorithm::recursive_doubling, 8), std::pair(3UL, 12000UL));
    EXPECT_EQ(chain(Algorithm::recursive_doubling, 9), std::pair(5UL, 20000UL));
    EXPECT_EQ(chain(Algorithm::direct, 8), std::pair(1UL, 28000UL));
    EXPECT_EQ(chain(Algorithm::reduce_scatter, 8), std::pair(2UL, 7000UL));
    EXPECT_EQ(chain(Algorithm::ring, 8), std::pair(14UL, 7000UL));
}

TEST(part_of, tiles_the_vector_in_parts_of_nearly_equal_length) {
    for (int size = 1; size <= max_ranks; ++size) {
        for (const std::size_t n : {0, 1, 5, 16, 17, 1001}) {
            std::size_t end = 0;
            for (int rank = 0; rank < size; ++rank) {
                const Range part = part_of(n, rank, size);
                EXPECT_EQ(part.begin, end);
                EXPECT_LE(part.size(), max_part(n, size));
                EXPECT_GE(part.size() + 1, max_part(n, size));
                end = part.end;
            }
            EXPECT_EQ(end, n);
        }
    }
}

TEST(allreduce_buffer_bytes, hold_what_comes_in_and_what_goes_out_encoded) {
    EXPECT_EQ(allreduce_buffer_bytes(Algorithm::direct, Wire::f32, 1, 1000), 0u);
    EXPECT_EQ(allreduce_buffer_bytes(Algorithm::mpi, Wire::f32, 4, 1000), 0u);
    EXPECT_EQ(allreduce_buffer_bytes(Algorithm::recursive_doubling, Wire::f32, 4, 1000), 4032u);
    EXPECT_EQ(allreduce_buffer_bytes(Algorithm::ring, Wire::f32, 4, 1000), 1024u);
    EXPECT_EQ(allreduce_buffer_bytes(Algorithm::direct, Wire::f32, 4, 1000), 3u * 4032);
    EXPECT_EQ(allreduce_buffer_bytes(Algorithm::direct, Wire::f16, 4, 1000), 4u * 2048);
    EXPECT_EQ(allreduce_buffer_bytes(Algorithm::reduce_scatter, Wire::f32, 4, 1000), 3u * 1024);
    EXPECT_EQ(allreduce_buffer_bytes(Algorithm::reduce_scatter, Wire::f16, 4, 1000), 8u * 512);
}

TEST(broadcast_traffic, is_one_message_a_child) {
    for (int size = 1; size <= max_ranks; ++size) {
        for (int rank = 0; rank < size; ++rank) {
            const auto n_children = binomial_tree(rank, size).children.size();
            EXPECT_TRUE(broadcast_traffic(rank, size, 77) ==
                        (Traffic{n_children * 77, n_children}));
        }
    }
}

TEST(gather_traffic, is_one_message_with_the_whole_subtree) {
    for (int size = 1; size <= max_ranks; ++size) {
        EXPECT_TRUE(gather_traffic(0, size, 77) == Traffic{});
        for (int rank = 1; rank < size; ++rank) {
            const auto n = static_cast<std::uint64_t>(subtree_size(rank, size));
            EXPECT_TRUE(gather_traffic(rank, size, 77) ==
                        (Traffic{n * (77 + gather_header_bytes), 1}));
        }
    }
}

} // namespace
} // namespace pillar::comm
