// Who owns what, for every number of ranks from 1 to 16: nothing is lost, nothing is owned twice,
// and slices nest.

#include "pillar/partition/partition.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <ostream>
#include <set>

namespace pillar::partition {

void PrintTo(const Range& range, std::ostream* out) {
    *out << "[" << range.begin << ", " << range.end << ")";
}

namespace {

constexpr int max_ranks = 16;

/// Awkward ones: odd head counts, fewer heads or rows than ranks, widths that are no multiple
/// of 32.
const std::vector<Sizes>& awkward_sizes() {
    static const std::vector<Sizes> sizes = {
        {32, 8, 64, 8192, 128'256}, // Llama 3.2 1B
        {9, 3, 64, 1536, 49'152},   // SmolLM2 135M
        {15, 5, 64, 2560, 49'152},  // SmolLM2 360M
        {14, 2, 64, 4864, 151'936}, // Qwen2.5 0.5B
        {12, 2, 128, 8960, 151'937},
        {32, 32, 80, 10'240, 50'257},
        {40, 40, 128, 13'824, 32'000},
        {1, 1, 8, 1, 1},
        {3, 1, 16, 31, 5},
        {5, 5, 16, 33, 17},
        {7, 1, 16, 100, 259},
        {2, 2, 4, 1000, 7},
    };
    return sizes;
}

std::vector<Share> all_shares(const Sizes& sizes, int n_ranks) {
    std::vector<Share> shares;
    for (int r = 0; r < n_ranks; ++r) shares.push_back(even_share(sizes, r, n_ranks));
    return shares;
}

/// The ranges follow one another from 0 to `n`: disjoint and covering.
void expect_tiling(const std::vector<Range>& ranges, std::size_t begin, std::size_t end) {
    std::size_t at = begin;
    for (const Range& range : ranges) {
        EXPECT_EQ(range.begin, at);
        EXPECT_LE(range.begin, range.end);
        at = range.end;
    }
    EXPECT_EQ(at, end);
}

template <class Member>
std::vector<Range> column(const std::vector<Share>& shares, Member member) {
    std::vector<Range> ranges;
    for (const Share& share : shares) ranges.push_back(share.*member);
    return ranges;
}

template <class Test>
void for_all(Test test) {
    for (const Sizes& sizes : awkward_sizes()) {
        for (int n_ranks = 1; n_ranks <= max_ranks; ++n_ranks) {
            SCOPED_TRACE(testing::Message() << sizes.n_heads << " heads, " << sizes.hidden_dim
                                            << " wide, " << n_ranks << " ranks");
            test(sizes, n_ranks);
            if (testing::Test::HasFailure()) return;
        }
    }
}

TEST(part_of, cuts_at_rounded_down_multiples) {
    const std::vector<std::size_t> begins = {0, 1, 2, 3, 4, 5, 6, 7}; // ⌊s·9/8⌋
    for (std::size_t s = 0; s < 8; ++s) EXPECT_EQ(part_of(9, s, 8).begin, begins[s]);
    EXPECT_EQ(part_of(9, 7, 8), (Range{7, 9}));
    EXPECT_EQ(part_of(9, 0, 2), (Range{0, 4}));
    EXPECT_EQ(part_of(9, 1, 2), (Range{4, 9}));
    EXPECT_EQ(part_of(3, 0, 8), (Range{0, 0}));
    EXPECT_EQ(part_of(3, 2, 8), (Range{0, 1}));
    EXPECT_EQ(part_of(0, 3, 8), (Range{0, 0}));
}

TEST(part_of, is_balanced_to_one_unit) {
    for (std::size_t n = 0; n <= 200; ++n) {
        for (std::size_t n_parts = 1; n_parts <= max_ranks; ++n_parts) {
            std::vector<Range> parts;
            for (std::size_t i = 0; i < n_parts; ++i) parts.push_back(part_of(n, i, n_parts));
            expect_tiling(parts, 0, n);
            for (const Range& part : parts) {
                EXPECT_GE(part.size(), n / n_parts);
                EXPECT_LE(part.size(), n / n_parts + 1);
            }
        }
    }
}

TEST(part_of, nests_eight_slices_in_1_2_4_8_ranks) {
    for (std::size_t n = 0; n <= 1000; ++n) {
        for (const std::size_t n_ranks : {1, 2, 4, 8}) {
            const std::size_t n_own = 8 / n_ranks;
            for (std::size_t r = 0; r < n_ranks; ++r) {
                EXPECT_EQ(part_of(n, r, n_ranks).begin, part_of(n, r * n_own, 8).begin);
                EXPECT_EQ(part_of(n, r, n_ranks).end, part_of(n, (r + 1) * n_own - 1, 8).end);
            }
        }
    }
}

TEST(n_slices, is_eight_where_eight_nest_and_one_a_rank_elsewhere) {
    for (int n_ranks = 1; n_ranks <= max_ranks; ++n_ranks) {
        const bool nests = n_ranks == 1 || n_ranks == 2 || n_ranks == 4 || n_ranks == 8;
        EXPECT_EQ(n_slices_for(n_ranks), nests ? 8 : n_ranks);
    }
}

TEST(even_share, gives_everything_to_exactly_one_rank) {
    for_all([](const Sizes& sizes, int n_ranks) {
        const auto shares = all_shares(sizes, n_ranks);
        expect_tiling(column(shares, &Share::heads), 0, sizes.n_heads);
        expect_tiling(column(shares, &Share::hidden), 0, sizes.hidden_dim);
        expect_tiling(column(shares, &Share::vocabulary), 0, sizes.vocab_size);
        expect_tiling(column(shares, &Share::slices), 0,
                      static_cast<std::size_t>(n_slices_for(n_ranks)));
        for (int r = 0; r < n_ranks; ++r) {
            const Share& share = shares[static_cast<std::size_t>(r)];
            EXPECT_EQ(share.rank, r);
            EXPECT_EQ(share.n_ranks, n_ranks);
            EXPECT_EQ(share.n_slices, n_slices_for(n_ranks));
        }
    });
}

TEST(even_share, is_covered_exactly_by_its_slices) {
    for_all([](const Sizes& sizes, int n_ranks) {
        for (const Share& share : all_shares(sizes, n_ranks)) {
            EXPECT_EQ(share.slice_heads.size(), share.slices.size());
            EXPECT_EQ(share.slice_hidden.size(), share.slices.size());
            EXPECT_EQ(share.slice_vocabulary.size(), share.slices.size());
            EXPECT_GE(share.slices.size(), 1u);
            expect_tiling(share.slice_heads, share.heads.begin, share.heads.end);
            expect_tiling(share.slice_hidden, share.hidden.begin, share.hidden.end);
            expect_tiling(share.slice_vocabulary, share.vocabulary.begin, share.vocabulary.end);
        }
    });
}

/// Slice `index` of the model as the rank that owns it sees it.
struct Slice {
    Range heads;
    Range hidden;
    Range vocabulary;
    friend bool operator==(const Slice&, const Slice&) = default;
};

std::vector<Slice> all_slices(const Sizes& sizes, int n_ranks) {
    std::vector<Slice> slices;
    for (const Share& share : all_shares(sizes, n_ranks)) {
        for (std::size_t i = 0; i < share.slices.size(); ++i) {
            slices.push_back(
                {share.slice_heads[i], share.slice_hidden[i], share.slice_vocabulary[i]});
        }
    }
    return slices;
}

TEST(even_share, has_the_same_slices_on_1_2_4_8_ranks) {
    for (const Sizes& sizes : awkward_sizes()) {
        const auto expected = all_slices(sizes, 1);
        EXPECT_EQ(expected.size(), 8u);
        for (const int n_ranks : {2, 4, 8}) EXPECT_EQ(all_slices(sizes, n_ranks), expected);
    }
}

TEST(even_share, gives_each_rank_an_aligned_block_of_slices_where_they_nest) {
    for (const int n_ranks : {1, 2, 4, 8}) {
        const auto n_own = static_cast<std::size_t>(8 / n_ranks);
        for (const Share& share : all_shares(awkward_sizes().front(), n_ranks)) {
            EXPECT_EQ(share.slices.begin, static_cast<std::size_t>(share.rank) * n_own);
            EXPECT_EQ(share.slices.size(), n_own);
        }
    }
}

TEST(even_share, cuts_the_feed_forward_width_at_whole_units) {
    for_all([](const Sizes& sizes, int n_ranks) {
        for (const Slice& slice : all_slices(sizes, n_ranks)) {
            for (const std::size_t edge : {slice.hidden.begin, slice.hidden.end}) {
                EXPECT_TRUE(edge % feed_forward_unit == 0 || edge == sizes.hidden_dim) << edge;
            }
        }
    });
    const Sizes short_last{4, 4, 8, 100, 10}; // units of 32, 32, 32 and 4
    EXPECT_EQ(even_share(short_last, 0, 3).hidden, (Range{0, 32}));
    EXPECT_EQ(even_share(short_last, 2, 3).hidden, (Range{64, 100}));
    EXPECT_EQ(even_share(short_last, 15, 16).hidden, (Range{96, 100}));
}

TEST(even_share, is_balanced_to_one_unit) {
    for_all([](const Sizes& sizes, int n_ranks) {
        const auto p = static_cast<std::size_t>(n_ranks);
        const std::size_t n_units = (sizes.hidden_dim + feed_forward_unit - 1) / feed_forward_unit;
        for (const Share& share : all_shares(sizes, n_ranks)) {
            EXPECT_LE(share.heads.size(), sizes.n_heads / p + 1);
            EXPECT_LE(share.vocabulary.size(), sizes.vocab_size / p + 1);
            EXPECT_LE(share.hidden.size(), (n_units / p + 1) * feed_forward_unit);
        }
    });
}

TEST(even_share, holds_exactly_the_kv_heads_that_its_query_heads_read) {
    for_all([](const Sizes& sizes, int n_ranks) {
        const std::size_t group = sizes.n_heads / sizes.n_kv_heads;
        for (const Share& share : all_shares(sizes, n_ranks)) {
            std::set<std::size_t> needed;
            for (std::size_t h = share.heads.begin; h < share.heads.end; ++h) {
                needed.insert(h / group);
            }
            std::set<std::size_t> held;
            for (std::size_t h = share.kv_heads.begin; h < share.kv_heads.end; ++h) held.insert(h);
            EXPECT_EQ(held, needed);
        }
    });
}

TEST(even_share, leaves_ranks_beyond_the_heads_without_any) {
    for_all([](const Sizes& sizes, int n_ranks) {
        const auto shares = all_shares(sizes, n_ranks);
        const auto n_with =
            std::ranges::count_if(shares, [](const Share& s) { return !s.heads.empty(); });
        EXPECT_EQ(static_cast<std::size_t>(n_with),
                  std::min(sizes.n_heads, static_cast<std::size_t>(n_ranks)));
        for (const Share& share : shares) {
            EXPECT_EQ(share.heads.empty(), share.kv_heads.empty());
        }
    });
}

TEST(even_share, replicates_kv_heads_on_more_ranks_than_there_are) {
    const Sizes sizes{32, 8, 64, 8192, 128'256};
    EXPECT_EQ(even_share(sizes, 0, 16).kv_heads, (Range{0, 1}));
    EXPECT_EQ(even_share(sizes, 1, 16).kv_heads, (Range{0, 1}));
    EXPECT_EQ(even_share(sizes, 2, 16).kv_heads, (Range{1, 2}));
    EXPECT_EQ(even_share(sizes, 1, 3).heads, (Range{10, 21}));
    EXPECT_EQ(even_share(sizes, 1, 3).kv_heads, (Range{2, 6}));
}

TEST(kv_heads_of, is_empty_without_heads_and_right_for_every_range) {
    const Sizes sizes{12, 3, 8, 32, 10}; // four query heads a KV head
    EXPECT_TRUE(kv_heads_of(sizes, {5, 5}).empty());
    for (std::size_t begin = 0; begin < 12; ++begin) {
        for (std::size_t end = begin + 1; end <= 12; ++end) {
            EXPECT_EQ(kv_heads_of(sizes, {begin, end}), (Range{begin / 4, (end - 1) / 4 + 1}));
        }
    }
}

TEST(even_share, of_every_small_model_on_every_number_of_ranks_tiles) {
    for (std::size_t n = 1; n <= 70; ++n) {
        for (int n_ranks = 1; n_ranks <= max_ranks; ++n_ranks) {
            const Sizes sizes{n, 1, 8, n * 5, n * 3};
            const auto shares = all_shares(sizes, n_ranks);
            expect_tiling(column(shares, &Share::heads), 0, n);
            expect_tiling(column(shares, &Share::hidden), 0, n * 5);
            expect_tiling(column(shares, &Share::vocabulary), 0, n * 3);
        }
    }
}

} // namespace
} // namespace pillar::partition
