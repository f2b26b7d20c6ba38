// The work of a run's steps.

#include "pillar/perf/run_shape.hpp"

#include <gtest/gtest.h>

namespace pillar::perf {
namespace {

/// Two ranks, a head each; direct up to 40 floats, beyond that two-step.
RunShape two_ranks() {
    RunShape shape;
    shape.h.n_layers = 3;
    shape.h.dim = 40;
    shape.h.head_dim = 20;
    shape.allreduce = {comm::Algorithm::direct, comm::Algorithm::reduce_scatter, 40};
    shape.wire = comm::Wire::f16;
    shape.ranks = {{{700, 70, 50, 1000, 90, 6}, 1}, {{800, 80, 60, 1100, 91, 7}, 1}};
    return shape;
}

TEST(step_work, of_a_shape_has_its_allreduce_and_wire) {
    const StepWork work = step_work(two_ranks(), StepRows{1, 1, 9, 9});
    EXPECT_EQ(work.n_allreduces, 6u);
    EXPECT_EQ(work.allreduce_floats, 40u);
    EXPECT_EQ(work.ranks[1].matrix_bytes, 860);
    EXPECT_EQ(work.ranks[0].kv_bytes, 54);
    // Six vectors of 40 halves to the other rank, a request and a reply with 8 bytes before it
    EXPECT_EQ(step_traffic(work).bytes_sent, 6u * 2 * 80 + 8);
    EXPECT_EQ(step_traffic(work).messages_sent, 6u * 2 + 2);
}

} // namespace
} // namespace pillar::perf
