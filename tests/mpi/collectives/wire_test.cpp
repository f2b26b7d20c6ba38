// Sums of values that travel as f16 or q8: what each rank gets is the tree over the decoded copies,
// its own among them. The codec itself is tested in tests/unit/comm.

#include "pillar/comm/tree_sum.hpp"
#include "pillar/comm/wire_codec.hpp"

#include "pillar/comm/schedule.hpp"
#include "support/ranks/mpi_main.hpp"

#include <cstring>
#include <gtest/gtest.h>
#include <mpi.h>
#include <random>
#include <vector>

namespace pillar::comm {
namespace {

using support::world;

constexpr std::size_t lengths[] = {0, 1, 2, 7, 31, 32, 33, 576, 1023, 4096, 20'001};

/// As partial sums are: normal, with outliers.
std::vector<float> normal_numbers(int rank, std::size_t n) {
    std::mt19937 generator(static_cast<unsigned>(rank) * 77 + 5);
    std::normal_distribution<float> normal(0.0F, 0.3F);
    std::vector<float> values(n);
    for (std::size_t i = 0; i < n; ++i) {
        values[i] = normal(generator) * (i % 100 == 17 ? 60.0F : 1.0F);
    }
    return values;
}

/// After the way over the network.
std::vector<float> travelled(Wire wire, const std::vector<float>& values) {
    std::vector<std::byte> bytes(wire_bytes(wire, values.size()));
    std::vector<float> decoded(values.size());
    encode(wire, values, bytes.data());
    decode(wire, bytes.data(), 0, decoded);
    return decoded;
}

std::vector<float> tree_sum(std::vector<std::vector<float>> copies) {
    std::vector<float*> leaves;
    for (auto& copy : copies) leaves.push_back(copy.data());
    const std::size_t n = copies.front().size();
    std::vector<float> sum(n);
    add_in_tree(leaves, n, sum.data());
    return sum;
}

/// One process computes what everybody should have.
std::vector<float> expected_sum(Algorithm algorithm, Wire wire, int size, std::size_t n) {
    if (size == 1) return normal_numbers(0, n);
    std::vector<float> sum;
    for (int owner = 0; owner < (algorithm == Algorithm::reduce_scatter ? size : 1); ++owner) {
        const Range part =
            algorithm == Algorithm::reduce_scatter ? part_of(n, owner, size) : Range{0, n};
        std::vector<std::vector<float>> copies;
        for (int rank = 0; rank < size; ++rank) {
            const std::vector<float> all = normal_numbers(rank, n);
            const auto begin = all.begin() + static_cast<std::ptrdiff_t>(part.begin);
            copies.push_back(
                travelled(wire, {begin, begin + static_cast<std::ptrdiff_t>(part.size())}));
        }
        std::vector<float> one = tree_sum(std::move(copies));
        if (algorithm == Algorithm::reduce_scatter) one = travelled(wire, one);
        sum.insert(sum.end(), one.begin(), one.end());
    }
    return sum;
}

class wires : public testing::TestWithParam<Wire> {};

TEST_P(wires, sum_the_decoded_copies_in_the_tree) {
    for (const Algorithm algorithm : tree_algorithms(GetParam())) {
        const auto comm = world(algorithm, GetParam());
        for (const std::size_t n : lengths) {
            std::vector<float> values = normal_numbers(comm->rank(), n);
            comm->allreduce(values);
            const auto expected = expected_sum(algorithm, GetParam(), comm->size(), n);
            EXPECT_EQ(values, expected) << name_of(algorithm) << ", " << n << " values";
        }
    }
}

TEST_P(wires, leave_the_same_bits_on_every_rank_and_stay_near_the_sum) {
    for (const Algorithm algorithm : tree_algorithms(GetParam())) {
        const auto comm = world(algorithm, GetParam());
        constexpr std::size_t n = 5000;
        std::vector<float> values = normal_numbers(comm->rank(), n);
        std::vector<float> exact = values;
        comm->allreduce(values);
        std::vector<float> of_rank_0 = values;
        MPI_Bcast(of_rank_0.data(), n, MPI_FLOAT, 0, MPI_COMM_WORLD);
        EXPECT_EQ(std::memcmp(values.data(), of_rank_0.data(), n * sizeof(float)), 0);

        MPI_Allreduce(MPI_IN_PLACE, exact.data(), n, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
        double error = 0;
        double power = 0;
        for (std::size_t i = 0; i < n; ++i) {
            error += (values[i] - exact[i]) * static_cast<double>(values[i] - exact[i]);
            power += exact[i] * static_cast<double>(exact[i]);
        }
        EXPECT_LT(error / power, 2e-5) << name_of(algorithm);
    }
}

INSTANTIATE_TEST_SUITE_P(all, wires, testing::Values(Wire::f16, Wire::q8),
                         [](const auto& case_) { return std::string(name_of(case_.param)); });

} // namespace
} // namespace pillar::comm
