// The communicators that need no MPI: self, and one process in the part of rank r.

#include "pillar/comm/communicator.hpp"
#include "pillar/comm/schedule.hpp"
#include "pillar/core/errors.hpp"
#include "pillar/core/timing.hpp"
#include "support/ranks/dry_run.hpp"

#include <array>
#include <cstring>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pillar::comm {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text.data(), text.size()));
}

std::string text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

TEST(self, leaves_values_and_delivers_its_own_messages) {
    const auto self = support::make_self();
    EXPECT_EQ(self->rank(), 0);
    EXPECT_EQ(self->size(), 1);
    EXPECT_TRUE(self->is_root());
    EXPECT_FALSE(self->host(0).empty());

    std::array values = {1.5F, -0.0F};
    self->allreduce(values);
    EXPECT_EQ(values[0], 1.5F);
    EXPECT_TRUE(std::signbit(values[1]));

    std::array<std::byte, 8> buffer{};
    EXPECT_EQ(self->broadcast(buffer, 3), 3u);

    GatherBuffer all(1, 16);
    self->gather(bytes_of("hello"), all);
    EXPECT_EQ(text_of(all.of(0)), "hello");
    self->gather({}, all);
    EXPECT_TRUE(all.of(0).empty());

    EXPECT_EQ(self->all_gather("x"), std::vector<std::string>{"x"});
    EXPECT_EQ(self->gather_to_root("y"), std::vector<std::string>{"y"});
    EXPECT_EQ(self->broadcast_from_root("z"), "z");
    self->barrier();
    const auto offsets = self->clock_offsets();
    ASSERT_EQ(offsets.size(), 1u);
    EXPECT_EQ(offsets[0].offset_s, 0);
}

TEST(self, sends_nothing_but_keeps_the_timeline) {
    const auto self = support::make_self();
    StepTimeline timeline;
    timeline.collectives.reserve(2);
    self->record_into(&timeline);
    std::array<float, 3> values{};
    const double before_s = monotonic_s();
    self->allreduce(values);
    std::array<std::byte, 8> buffer{};
    self->broadcast(buffer, 5);
    ASSERT_EQ(timeline.collectives.size(), 2u);
    EXPECT_EQ(timeline.collectives[0].kind, CollectiveKind::allreduce);
    EXPECT_EQ(timeline.collectives[0].bytes, 12u);
    EXPECT_EQ(timeline.collectives[1].kind, CollectiveKind::broadcast);
    EXPECT_EQ(timeline.collectives[1].bytes, 5u);
    EXPECT_LE(before_s, timeline.collectives[0].begin_s);
    EXPECT_LE(timeline.collectives[0].begin_s, timeline.collectives[0].end_s);
    EXPECT_LE(timeline.collectives[0].end_s, timeline.collectives[1].begin_s);
    EXPECT_EQ(self->step_traffic().messages_sent, 0u);
    EXPECT_EQ(self->other_traffic().messages_sent, 0u);
}

TEST(timeline, without_room_is_a_fault_of_its_owner) {
    const auto self = support::make_self();
    StepTimeline timeline;
    self->record_into(&timeline);
    std::array<float, 1> values{};
    EXPECT_EXIT(self->allreduce(values),
                testing::ExitedWithCode(static_cast<int>(ExitCode::internal)), "timeline has room");
}

TEST(dry_run, counts_what_the_schedules_say) {
    for (int size = 1; size <= 9; ++size) {
        for (int rank = 0; rank < size; ++rank) {
            const auto comm =
                support::make_dry_run(rank, size, Algorithm::recursive_doubling, Wire::f32);
            StepTimeline timeline;
            timeline.collectives.reserve(3);
            comm->record_into(&timeline);
            std::vector<float> values(100, 2.0F);
            comm->allreduce(values);
            EXPECT_EQ(values[99], 2.0F);
            std::array<std::byte, 64> buffer{};
            EXPECT_EQ(comm->broadcast(buffer, 50), 50u);
            GatherBuffer all(size, 30);
            comm->gather(bytes_of("candidates"), all);
            EXPECT_EQ(text_of(all.of(size - 1)), "candidates");

            const Traffic a =
                allreduce_traffic(Algorithm::recursive_doubling, Wire::f32, rank, size, 100);
            const Traffic b = broadcast_traffic(rank, size, 50);
            const Traffic g = gather_traffic(rank, size, 10);
            EXPECT_EQ(comm->step_traffic().bytes_sent, a.bytes_sent + b.bytes_sent + g.bytes_sent);
            EXPECT_EQ(comm->step_traffic().messages_sent,
                      a.messages_sent + b.messages_sent + g.messages_sent);
            EXPECT_EQ(timeline.traffic.bytes_sent, comm->step_traffic().bytes_sent);
            EXPECT_EQ(comm->other_traffic().messages_sent, 0u);
        }
    }
}

TEST(dry_run, counts_by_the_algorithm_chosen_for_the_length) {
    const auto comm = support::make_dry_run(2, 5, Algorithm::recursive_doubling, Wire::q8);
    comm->choose({Algorithm::direct, Algorithm::reduce_scatter, 100});
    std::uint64_t expected = 0;
    for (const std::size_t n : {100, 101}) {
        std::vector<float> values(n);
        comm->allreduce(values);
        expected += allreduce_traffic(n == 100 ? Algorithm::direct : Algorithm::reduce_scatter,
                                      Wire::q8, 2, 5, n)
                        .bytes_sent;
        EXPECT_EQ(comm->step_traffic().bytes_sent, expected);
    }
}

double a_second_a_byte(void* context, CollectiveKind kind, std::size_t bytes) {
    ++*static_cast<int*>(context);
    return kind == CollectiveKind::allreduce ? static_cast<double>(bytes) : 0.25;
}

TEST(dry_run, takes_the_time_that_the_model_says) {
    int n_asked = 0;
    const auto comm = support::make_dry_run(1, 4, Algorithm::recursive_doubling, Wire::f32,
                                            a_second_a_byte, &n_asked);
    StepTimeline timeline;
    timeline.collectives.reserve(2);
    comm->record_into(&timeline);
    std::array<float, 2> values{};
    comm->allreduce(values);
    std::array<std::byte, 4> buffer{};
    comm->broadcast(buffer, 4);
    EXPECT_EQ(n_asked, 2);
    const auto& [first, second] = std::tie(timeline.collectives[0], timeline.collectives[1]);
    EXPECT_NEAR(first.end_s - first.begin_s, 8, 0.1);
    EXPECT_NEAR(second.end_s - second.begin_s, 0.25, 0.1);
    EXPECT_GE(second.begin_s, first.end_s);
}

TEST(algorithms, have_the_names_of_their_flags) {
    EXPECT_EQ(name_of(Algorithm::mpi), "mpi");
    EXPECT_EQ(name_of(Algorithm::recursive_doubling), "recursive-doubling");
    EXPECT_EQ(name_of(Algorithm::ring), "ring");
    EXPECT_EQ(name_of(Algorithm::direct), "direct");
    EXPECT_EQ(name_of(Algorithm::reduce_scatter), "two-step");
    EXPECT_EQ(name_of(Wire::f32), "f32");
    EXPECT_EQ(name_of(Wire::f16), "f16");
    EXPECT_EQ(name_of(Wire::q8), "q8");
}

TEST(algorithms, go_with_their_wires) {
    for (const auto algorithm : {Algorithm::mpi, Algorithm::recursive_doubling, Algorithm::ring,
                                 Algorithm::direct, Algorithm::reduce_scatter}) {
        EXPECT_NO_THROW(require_available(algorithm, Wire::f32));
        const bool takes_any =
            algorithm == Algorithm::direct || algorithm == Algorithm::reduce_scatter;
        for (const Wire wire : {Wire::f16, Wire::q8}) {
            if (takes_any) {
                EXPECT_NO_THROW(require_available(algorithm, wire));
            } else {
                EXPECT_THROW(require_available(algorithm, wire), UsageError);
            }
        }
    }
    EXPECT_EQ(tree_algorithms(Wire::f32).size(), 3u);
    for (const Wire wire : {Wire::f32, Wire::f16, Wire::q8}) {
        for (const Algorithm algorithm : tree_algorithms(wire)) {
            EXPECT_NO_THROW(require_available(algorithm, wire));
        }
    }
    try {
        require_available(Algorithm::ring, Wire::q8);
        FAIL();
    } catch (const UsageError& error) {
        EXPECT_THAT(error.what(), testing::HasSubstr("--wire q8"));
        EXPECT_THAT(error.what(), testing::HasSubstr("--allreduce ring"));
        EXPECT_THAT(error.what(), testing::HasSubstr("two-step"));
    }
}

} // namespace
} // namespace pillar::comm
