// Rank 0's bytes on every rank.

#include "pillar/comm/schedule.hpp"
#include "support/ranks/mpi_main.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <vector>

namespace pillar::comm {
namespace {

using support::world;

std::vector<std::byte> pattern(std::size_t n, int salt) {
    std::vector<std::byte> bytes(n);
    for (std::size_t i = 0; i < n; ++i) {
        bytes[i] = static_cast<std::byte>((i * 31 + static_cast<std::size_t>(salt) * 17) % 251);
    }
    return bytes;
}

TEST(broadcast, delivers_messages_of_any_length_up_to_the_capacity) {
    constexpr std::size_t capacity =
        200'000; // beyond what is sent at once: the receiver is asked first
    const auto comm = world();
    for (const std::size_t n : {std::size_t{0}, std::size_t{1}, std::size_t{12}, std::size_t{4097},
                                std::size_t{65'537}, capacity}) {
        std::vector<std::byte> buffer(capacity, std::byte{0xee});
        if (comm->is_root()) std::ranges::copy(pattern(n, 1), buffer.begin());
        const std::size_t length = comm->broadcast(buffer, comm->is_root() ? n : 99);
        EXPECT_EQ(length, n);
        buffer.resize(n);
        EXPECT_EQ(buffer, pattern(n, 1));
    }
}

TEST(broadcast, keeps_many_calls_in_a_row_apart) {
    const auto comm = world();
    std::vector<std::byte> buffer(64);
    for (int call = 0; call < 300; ++call) {
        const auto n = static_cast<std::size_t>(call % 64);
        if (comm->is_root()) std::ranges::copy(pattern(n, call), buffer.begin());
        EXPECT_EQ(comm->broadcast(buffer, n), n);
        EXPECT_TRUE(std::ranges::equal(std::span(buffer).first(n), pattern(n, call)));
    }
}

TEST(broadcast, counts_and_times_what_its_schedule_says) {
    const auto comm = world();
    StepTimeline timeline;
    timeline.collectives.reserve(1);
    comm->record_into(&timeline);
    std::vector<std::byte> buffer(100);
    comm->broadcast(buffer, 60);
    const Traffic expected = broadcast_traffic(comm->rank(), comm->size(), 60);
    EXPECT_EQ(comm->step_traffic().bytes_sent, expected.bytes_sent);
    EXPECT_EQ(comm->step_traffic().messages_sent, expected.messages_sent);
    EXPECT_EQ(timeline.traffic.bytes_sent, expected.bytes_sent);
    EXPECT_EQ(timeline.collectives.at(0).kind, CollectiveKind::broadcast);
    EXPECT_EQ(timeline.collectives.at(0).bytes, 60u);
}

} // namespace
} // namespace pillar::comm
