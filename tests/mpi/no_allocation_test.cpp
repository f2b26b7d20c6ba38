// Nothing is allocated between two tokens.

#include "pillar/core/aligned_buffer.hpp"
#include "support/memory_requests.hpp"
#include "support/ranks/mpi_main.hpp"

#include <gtest/gtest.h>
#include <vector>

namespace pillar::comm {
namespace {

void expect_no_allocation(Algorithm algorithm, Wire wire,
                          const std::optional<NetworkModel>& emulated = {}) {
    const auto comm = support::mpi_environment().world(algorithm, wire, emulated);
    std::vector<float> values(5000, 1.0F);
    std::vector<std::byte> buffer(300);
    const std::vector<std::byte> message(200);
    GatherBuffer all(comm->size(), 200);
    StepTimeline timeline;
    timeline.collectives.reserve(150);
    comm->record_into(&timeline);
    comm->reserve(values.size());
    comm->reserve_exact(200);

    const std::size_t before = support::n_memory_requests();
    for (int step = 0; step < 30; ++step) {
        comm->broadcast(buffer, 250);
        // more lengths than plans are kept
        const auto n = static_cast<std::size_t>(5000 - 100 * (step % 12));
        comm->allreduce(std::span(values).first(n));
        comm->start_allreduce(std::span(values).last(n));
        comm->advance_allreduce();
        comm->finish_allreduce();
        comm->exact_allreduce(std::span(values).first(n % 190 + 1));
        comm->gather(message, all);
    }
    EXPECT_EQ(support::n_memory_requests(), before) << name_of(algorithm) << ", " << name_of(wire);
}

TEST(step_collectives, allocate_nothing_once_reserved) {
    for (const auto algorithm : {Algorithm::mpi, Algorithm::recursive_doubling, Algorithm::ring,
                                 Algorithm::direct, Algorithm::reduce_scatter}) {
        expect_no_allocation(algorithm, Wire::f32);
    }
    for (const auto wire : {Wire::f16, Wire::q8}) {
        for (const Algorithm algorithm : tree_algorithms(wire)) {
            expect_no_allocation(algorithm, wire);
        }
    }
    expect_no_allocation(Algorithm::direct, Wire::f32, NetworkModel{10e-6, 1e-9});
}

TEST(memory_requests, are_counted_for_vectors_and_aligned_buffers_small_and_large) {
    for (const std::size_t n : {std::size_t{5}, std::size_t{2} << 20}) {
        const std::size_t before = support::n_memory_requests();
        const AlignedBuffer<float> buffer(n);
        EXPECT_EQ(support::n_memory_requests(), before + 1);
    }
    const std::size_t before = support::n_memory_requests();
    const std::vector<float> values(5);
    EXPECT_GT(support::n_memory_requests(), before);
}

} // namespace
} // namespace pillar::comm
