// Nothing is allocated between two tokens.

#include "pillar/core/aligned_buffer.hpp"
#include "support/memory_requests.hpp"
#include "support/mpi_main.hpp"

#include <gtest/gtest.h>
#include <vector>

namespace pillar::comm {
namespace {

TEST(step_collectives, allocate_nothing_once_reserved) {
    const auto comm = support::world();
    std::vector<float> values(5000, 1.0F);
    std::vector<std::byte> buffer(300);
    const std::vector<std::byte> message(200);
    GatherBuffer all(comm->size(), 200);
    StepTimeline timeline;
    timeline.collectives.reserve(90);
    comm->record_into(&timeline);
    comm->reserve(values.size());

    const std::size_t before = support::n_memory_requests();
    for (int step = 0; step < 30; ++step) {
        comm->broadcast(buffer, 250);
        comm->allreduce(values);
        comm->gather(message, all);
    }
    EXPECT_EQ(support::n_memory_requests(), before);
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
