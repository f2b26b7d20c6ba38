// Every rank's message on rank 0, whatever their lengths.

#include "pillar/comm/schedule.hpp"
#include "support/ranks/mpi_main.hpp"

#include <gtest/gtest.h>
#include <string>

namespace pillar::comm {
namespace {

using support::world;

std::string message_of(int rank, int call, std::size_t capacity) {
    const auto n = static_cast<std::size_t>(rank * 37 + call * 11) % (capacity + 1);
    return std::string(n, static_cast<char>('a' + (rank + call) % 26));
}

std::span<const std::byte> bytes_of(const std::string& text) {
    return std::as_bytes(std::span(text));
}

std::string text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

TEST(gather, delivers_every_message_in_one_reused_buffer) {
    const auto comm = world();
    constexpr std::size_t capacity = 100;
    GatherBuffer all(comm->size(), capacity, comm->rank());
    for (int call = 0; call < 200; ++call) {
        comm->gather(bytes_of(message_of(comm->rank(), call, capacity)), all);
        for (int r = 0; comm->is_root() && r < comm->size(); ++r) {
            EXPECT_EQ(text_of(all.of(r)), message_of(r, call, capacity)) << "rank " << r;
        }
    }
}

TEST(gather, delivers_messages_as_long_as_the_capacity_and_empty_ones) {
    const auto comm = world();
    constexpr std::size_t capacity = 50'000;
    GatherBuffer all(comm->size(), capacity, comm->rank());
    // Of eight ranks 4 passes on four messages, 2 two, and the others their own.
    const std::size_t n_messages[] = {8, 1, 2, 1, 4, 1, 2, 1};
    if (comm->size() == 8) {
        EXPECT_LT(all.storage().size(),
                  n_messages[comm->rank()] * (capacity + 64)); // a header each
    }
    for (const bool is_odd_long : {true, false}) {
        const auto length_of = [&](int rank) {
            return (rank % 2 == 1) == is_odd_long ? capacity : 0;
        };
        const std::string own(length_of(comm->rank()), 'x');
        comm->gather(bytes_of(own), all);
        for (int r = 0; comm->is_root() && r < comm->size(); ++r) {
            EXPECT_EQ(text_of(all.of(r)), std::string(length_of(r), 'x'));
        }
    }
}

TEST(gather, counts_and_times_what_its_schedule_says) {
    const auto comm = world();
    StepTimeline timeline;
    timeline.collectives.reserve(1);
    comm->record_into(&timeline);
    GatherBuffer all(comm->size(), 64);
    comm->gather(bytes_of(std::string(40, 'x')), all);
    const Traffic expected = gather_traffic(comm->rank(), comm->size(), 40);
    EXPECT_EQ(comm->step_traffic().bytes_sent, expected.bytes_sent);
    EXPECT_EQ(comm->step_traffic().messages_sent, expected.messages_sent);
    EXPECT_EQ(timeline.traffic.messages_sent, expected.messages_sent);
    EXPECT_EQ(timeline.collectives.at(0).kind, CollectiveKind::gather);
    EXPECT_EQ(timeline.collectives.at(0).bytes, 40u);
}

} // namespace
} // namespace pillar::comm
