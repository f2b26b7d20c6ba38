// Values, lists and texts between real ranks, and a message that is none of them.

#include "pillar/comm/exchange.hpp"

#include "pillar/core/errors.hpp"
#include "support/ranks/mpi_main.hpp"

#include <cstdint>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pillar::comm {
namespace {

using support::world;
using testing::HasSubstr;

struct Pair {
    double seconds = 0;
    std::uint64_t bytes = 0;
    friend bool operator==(const Pair&, const Pair&) = default;
};

Pair pair_of(int rank) {
    return {0.1 * rank, std::uint64_t{1} << (60 + rank % 3)};
}

TEST(exchange, brings_every_ranks_value_to_all_and_to_rank_0) {
    const auto comm = world();
    std::vector<Pair> expected;
    for (int rank = 0; rank < comm->size(); ++rank) expected.push_back(pair_of(rank));
    EXPECT_EQ(all_gather(*comm, pair_of(comm->rank())), expected);
    EXPECT_EQ(gather_to_root(*comm, pair_of(comm->rank())),
              comm->is_root() ? expected : std::vector<Pair>());
}

TEST(exchange, brings_lists_of_any_length) {
    const auto comm = world();
    std::vector<std::vector<double>> expected;
    for (int rank = 0; rank < comm->size(); ++rank)
        expected.emplace_back(static_cast<std::size_t>(rank) * 1000, 1.0 / (rank + 1));
    const std::vector<double>& mine = expected[static_cast<std::size_t>(comm->rank())];
    EXPECT_EQ(all_gather(*comm, mine), expected);
    EXPECT_EQ(gather_to_root(*comm, mine),
              comm->is_root() ? expected : std::vector<std::vector<double>>());
}

TEST(exchange, brings_rank_0s_value_and_list_to_all) {
    const auto comm = world();
    EXPECT_EQ(broadcast_from_root(*comm, comm->is_root() ? ExitCode::resumable : ExitCode::done),
              ExitCode::resumable);
    for (const std::size_t n : {0, 1, 100'000}) {
        const std::vector<std::uint16_t> list(n, 7);
        EXPECT_EQ(
            broadcast_from_root(*comm, comm->is_root() ? list : std::vector<std::uint16_t>{1}),
            list);
    }
}

TEST(exchange, brings_texts_that_may_be_empty) {
    const auto comm = world();
    const auto texts_of = [](int rank) {
        std::vector<std::string> texts(static_cast<std::size_t>(rank) + 1);
        texts.front() = fmt::format("of rank {}", rank);
        return texts;
    };
    const std::vector<std::vector<std::string>> all = all_gather(*comm, texts_of(comm->rank()));
    ASSERT_EQ(all.size(), static_cast<std::size_t>(comm->size()));
    for (int rank = 0; rank < comm->size(); ++rank)
        EXPECT_EQ(all[static_cast<std::size_t>(rank)], texts_of(rank));
}

/// The last rank sends other bytes, as another build might.
TEST(exchange, refuses_a_message_of_another_size_and_names_its_rank) {
    const auto comm = world();
    const int last = comm->size() - 1;
    const auto expect_named = [&](auto&& call, const std::string& sizes) {
        if (comm->rank() == last) {
            comm->all_gather("twelve bytes");
            return;
        }
        try {
            call();
            ADD_FAILURE() << "taken as it was";
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ExitCode::disagree);
            EXPECT_THAT(error.what(),
                        HasSubstr(fmt::format("rank {} on {} has sent 12 bytes where {}", last,
                                              comm->host(last), sizes)));
            EXPECT_THAT(error.what(), HasSubstr("same build"));
        }
    };
    expect_named([&] { (void)all_gather(*comm, Pair()); }, "16 are expected");
    expect_named([&] { (void)all_gather(*comm, std::vector<double>(3)); },
                 "a multiple of 8 is expected");
}

} // namespace
} // namespace pillar::comm
