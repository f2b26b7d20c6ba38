// The memory that a loop says it takes.

#include "pillar/engine/loop.hpp"

#include "script.hpp"
#include "support/memory_requests.hpp"

#include <gtest/gtest.h>

namespace pillar::engine {
namespace {

TEST(loop_bytes, of_whole_rows_are_one_slice_on_a_rank_that_only_replies) {
    constexpr std::size_t n_vocab = 32'000, n_rows = 64;
    constexpr std::size_t whole = n_vocab * n_rows * sizeof(float); // 8 MB: all rows with logits
    forward::TransformerOptions options;
    options.n_context = 512;
    options.max_logit_rows = n_rows;
    const partition::Sizes sizes{32, 8, 64, 5632, n_vocab};
    const auto bytes = [&](int rank, int n_ranks) {
        return loop_bytes(sizes, partition::even_share(sizes, rank, n_ranks), options, whole_rows(),
                          1);
    };
    constexpr std::size_t small = 100'000; // histories, headers, one adjusted row
    // Own reply, and a message in the gather buffer for each rank of the subtree.
    const std::size_t n_messages[] = {8, 1, 2, 1, 4, 1, 2, 1};
    for (int rank = 1; rank < 8; ++rank) {
        const std::size_t expected = whole / 8 * (1 + n_messages[rank]);
        EXPECT_GE(bytes(rank, 8), expected) << rank;
        EXPECT_LE(bytes(rank, 8), expected + small) << rank;
    }
    // Rank 0: its own, all of them gathered, and the rows put together.
    EXPECT_GE(bytes(0, 8), whole / 8 + 2 * whole);
    EXPECT_LE(bytes(0, 8), whole / 8 + 2 * whole + small);
    EXPECT_GE(bytes(0, 1), 3 * whole);
    EXPECT_LE(bytes(0, 1), 3 * whole + 3 * small);
    // A third of the ranks own most of the vocabulary: room for the longest reply a message.
    const double weights[] = {0.8, 0.1, 0.1};
    const auto leaf = partition::share_of(sizes, 1, 3, weights);
    EXPECT_LE(loop_bytes(sizes, leaf, options, whole_rows(), 1), whole + small);
}

TEST(loop_bytes, are_what_a_loop_asks_for) {
    forward::TransformerOptions options = sized(8, 1);
    for (const std::size_t n_candidates : {std::size_t{0}, std::size_t{40}}) {
        LoopOptions loop_options = whole_rows();
        loop_options.n_candidates = n_candidates;
        OneRank rank(tiny(), options);
        const std::uint64_t before = support::n_requested_bytes();
        const Loop loop(rank.transformer(), rank.comm(), loop_options);
        const std::uint64_t asked = support::n_requested_bytes() - before;
        const std::uint64_t planned =
            loop_bytes(tiny().h().sizes(), rank.transformer().share(), options, loop_options,
                       rank.transformer().team().size());
        EXPECT_LE(asked, planned + 8192); // the request, small lists
        EXPECT_GE(asked, planned);
    }
}

} // namespace
} // namespace pillar::engine
