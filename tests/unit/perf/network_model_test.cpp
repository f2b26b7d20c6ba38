// Times of collectives against arithmetic by hand.

#include "pillar/perf/network_model.hpp"

#include <gtest/gtest.h>

namespace pillar::perf {
namespace {

using comm::Algorithm;
using comm::Wire;

/// α = 50 µs, o = 12 µs, G = 8.5 ns both ways and at all lengths alike, one switch; adding is free.
NetworkProfile gigabit() {
    NetworkProfile network;
    network.s_per_byte_both_ways = 8.5e-9;
    network.s_per_byte_long = 8.5e-9;
    network.reduction = {0, 0, 0};
    return network;
}

double us(Algorithm algorithm, int n_ranks, std::size_t n_bytes) {
    return 1e6 * allreduce_time(gigabit(), algorithm, Wire::f32, n_ranks, n_bytes / 4).total();
}

TEST(message, is_latency_bytes_and_the_first_packet_stored) {
    // 50 + 1000·0.0085 + 1000·0.008
    EXPECT_NEAR(message_time(gigabit(), 1000).total(), 66.5e-6, 1e-12);
    // 50 + 10000·0.0085 + 1538·0.008
    EXPECT_NEAR(message_time(gigabit(), 10000).total(), 147.304e-6, 1e-12);
    EXPECT_NEAR(message_time(gigabit(), 10000).latency_s, 50e-6, 1e-15);
    EXPECT_NEAR(message_time(gigabit(), 0).total(), 50e-6, 1e-15);
}

TEST(allreduce, times_are_those_of_the_formulas) {
    // a = 50 + 12.304; recursive doubling: log2 P (a + m G)
    EXPECT_NEAR(us(Algorithm::recursive_doubling, 2, 2048), 62.304 + 17.408, 1e-6);
    EXPECT_NEAR(us(Algorithm::recursive_doubling, 8, 4096), 3 * (62.304 + 34.816), 1e-6);
    EXPECT_NEAR(us(Algorithm::mpi, 8, 4096), 3 * (62.304 + 34.816), 1e-6);
    // three ranks: fold, swap, give back
    EXPECT_NEAR(us(Algorithm::recursive_doubling, 3, 4096), 3 * (62.304 + 34.816), 1e-6);
    // direct: a + (P − 2) o + (P − 1) m G
    EXPECT_NEAR(us(Algorithm::direct, 4, 2048), 62.304 + 24 + 3 * 17.408, 1e-6);
    // two-step: 2 (a + (P − 2) o) + 2 (P − 1) / P m G
    EXPECT_NEAR(us(Algorithm::reduce_scatter, 4, 16384), 2 * (62.304 + 24) + 1.5 * 139.264, 1e-6);
    EXPECT_NEAR(us(Algorithm::reduce_scatter, 8, 65536), 2 * (62.304 + 72) + 1.75 * 557.056, 1e-6);
    // ring: 2 (P − 1) messages of m / P
    EXPECT_NEAR(us(Algorithm::ring, 4, 16384), 6 * (62.304 + 34.816), 1e-6);
    for (const Algorithm algorithm : {Algorithm::recursive_doubling, Algorithm::direct,
                                      Algorithm::reduce_scatter, Algorithm::ring})
        EXPECT_EQ(us(algorithm, 1, 4096), 0);
}

TEST(allreduce, uses_the_rate_of_both_directions_only_where_both_are_busy) {
    NetworkProfile network = gigabit();
    network.s_per_byte_both_ways = 10e-9;
    const auto time = [&](int n_ranks) {
        return 1e6 *
               allreduce_time(network, Algorithm::recursive_doubling, Wire::f32, n_ranks, 1024)
                   .bandwidth_s;
    };
    EXPECT_NEAR(time(2), 12.304 + 40.96, 1e-6);
    EXPECT_NEAR(time(3), 3 * 12.304 + 40.96 + 2 * 34.816, 1e-6); // folding goes one way
}

TEST(allreduce, with_half_the_bytes_takes_the_latency_and_half_of_the_rest) {
    const auto time = [](Wire wire) {
        return allreduce_time(gigabit(), Algorithm::direct, wire, 2, 4096);
    };
    EXPECT_NEAR(time(Wire::f16).bandwidth_s, 12.304e-6 + 8192 * 8.5e-9, 1e-12);
    EXPECT_EQ(time(Wire::f16).latency_s, time(Wire::f32).latency_s);
}

TEST(allreduce, has_a_rate_of_its_own_for_messages_beyond_64_kib) {
    NetworkProfile network = gigabit();
    network.s_per_byte_long = 20e-9;
    const auto bandwidth_us = [&](Algorithm algorithm, std::size_t n_bytes) {
        return 1e6 * allreduce_time(network, algorithm, Wire::f32, 2, n_bytes / 4).bandwidth_s;
    };
    EXPECT_NEAR(bandwidth_us(Algorithm::direct, 65536), 12.304 + 557.056, 1e-6);
    EXPECT_NEAR(bandwidth_us(Algorithm::direct, 65540), 12.304 + 1310.8, 1e-6);
    // two-step sends halves: messages of 65536 bytes, then of 65540
    EXPECT_NEAR(bandwidth_us(Algorithm::reduce_scatter, 131072), 2 * (12.304 + 557.056), 1e-6);
    EXPECT_NEAR(bandwidth_us(Algorithm::reduce_scatter, 131080), 2 * (12.304 + 1310.8), 1e-6);
}

TEST(allreduce, adds_each_copy_that_comes_in) {
    NetworkProfile network = gigabit();
    network.reduction = {3e-9, 6e-9, 8e-9};
    const auto ns = [&](Algorithm algorithm, Wire wire, int n_ranks) {
        return 1e9 * allreduce_time(network, algorithm, wire, n_ranks, 100).reduction_s;
    };
    EXPECT_NEAR(ns(Algorithm::recursive_doubling, Wire::f32, 2), 300, 1e-6);
    EXPECT_NEAR(ns(Algorithm::recursive_doubling, Wire::f32, 8), 900, 1e-6);
    EXPECT_NEAR(ns(Algorithm::recursive_doubling, Wire::f32, 5), 900, 1e-6); // one folds in
    EXPECT_NEAR(ns(Algorithm::direct, Wire::f16, 4), 1800, 1e-6);
    EXPECT_NEAR(ns(Algorithm::reduce_scatter, Wire::q8, 8), 800, 1e-6);
    EXPECT_NEAR(ns(Algorithm::ring, Wire::f32, 8), 300, 1e-6);
    EXPECT_EQ(ns(Algorithm::direct, Wire::q8, 1), 0);
}

/// The best of all, in µs, as computed apart in Python (α 50 µs).
TEST(allreduce, choice_is_the_best_there_is) {
    struct Row {
        int n_ranks;
        std::size_t n_bytes;
        double best_us;
        Algorithm algorithm;
    };
    for (const Row& row : {Row{4, 2048, 138.5, Algorithm::direct},
                           Row{8, 2048, 239.1, Algorithm::recursive_doubling},
                           Row{4, 16384, 381.5, Algorithm::reduce_scatter},
                           Row{8, 16384, 512.3, Algorithm::reduce_scatter},
                           Row{16, 2048, 318.8, Algorithm::recursive_doubling},
                           Row{16, 16384, 713.5, Algorithm::reduce_scatter}}) {
        const Algorithm best =
            fastest_allreduce(gigabit(), Wire::f32, row.n_ranks, row.n_bytes / 4);
        EXPECT_EQ(best, row.algorithm) << row.n_ranks << " ranks, " << row.n_bytes << " bytes";
        EXPECT_NEAR(us(best, row.n_ranks, row.n_bytes), row.best_us, 0.1);
    }
    EXPECT_NE(fastest_allreduce(gigabit(), Wire::f16, 8, 512), Algorithm::recursive_doubling);
}

TEST(trees, take_a_message_a_level) {
    // 4 ranks: 0 → 2 → 3
    EXPECT_NEAR(broadcast_time(gigabit(), 4, 48).total(), 2 * (50e-6 + 48 * 16.5e-9), 1e-12);
    EXPECT_NEAR(broadcast_time(gigabit(), 5, 48).total(), 1 * (50e-6 + 48 * 16.5e-9), 1e-12);
    // 3 gives 8 + 100 bytes to 2, which gives both to 0
    EXPECT_NEAR(gather_time(gigabit(), 4, 100).total(), 100e-6 + (108 + 216) * 16.5e-9, 1e-12);
    EXPECT_EQ(broadcast_time(gigabit(), 1, 48).total(), 0);
    EXPECT_EQ(gather_time(gigabit(), 1, 48).total(), 0);
}

TEST(star, serves_one_after_the_other) {
    EXPECT_NEAR(star_time(gigabit(), 4, 1000).total(), 50e-6 + 24e-6 + 3000 * 8.5e-9 + 8e-6, 1e-12);
    EXPECT_EQ(star_time(gigabit(), 1, 1000).total(), 0);
}

} // namespace
} // namespace pillar::perf
