// The schedules carried out on symbols: what is added to what, and whether anybody waits for ever.

#include "pillar/comm/schedule.hpp"

#include <algorithm>
#include <bit>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <numeric>
#include <string>
#include <vector>

namespace pillar::comm {
namespace {

using Kind = Exchange::Kind;
constexpr int max_ranks = 33;

/// A sum of ranks, written with brackets.
struct Sum {
    int first = 0; ///< lowest rank in it
    std::string text;
};

Sum add(const Sum& a, const Sum& b) {
    const Sum& low = a.first < b.first ? a : b;
    const Sum& high = a.first < b.first ? b : a;
    return {low.first, fmt::format("({}+{})", low.text, high.text)};
}

Kind answer_to(Kind kind) {
    switch (kind) {
    case Kind::fold_send:
        return Kind::fold_receive;
    case Kind::fold_receive:
        return Kind::fold_send;
    case Kind::swap:
        return Kind::swap;
    case Kind::result_send:
        return Kind::result_receive;
    case Kind::result_receive:
        return Kind::result_send;
    }
    return kind;
}

Sum after(const Exchange& exchange, const Sum& own, const Sum& partners) {
    switch (exchange.kind) {
    case Kind::fold_receive:
    case Kind::swap:
        return add(own, partners);
    case Kind::result_receive:
        return partners;
    case Kind::fold_send:
    case Kind::result_send:
        break;
    }
    return own;
}

/// All ranks' sums after recursive doubling; empty when it comes to a standstill.
std::vector<Sum> carry_out(int size) {
    const auto n = static_cast<std::size_t>(size);
    std::vector<std::vector<Exchange>> schedule;
    std::vector<Sum> sums;
    for (int rank = 0; rank < size; ++rank) {
        schedule.push_back(recursive_doubling(rank, size));
        sums.push_back({rank, std::to_string(rank)});
    }
    std::vector<std::size_t> next(n, 0);
    for (bool has_moved = true; has_moved;) {
        has_moved = false;
        for (std::size_t a = 0; a < n; ++a) {
            if (next[a] == schedule[a].size()) continue;
            const Exchange& mine = schedule[a][next[a]];
            const auto b = static_cast<std::size_t>(mine.partner);
            if (b >= n || b == a || next[b] == schedule[b].size()) continue;
            const Exchange& theirs = schedule[b][next[b]];
            if (theirs.partner != static_cast<int>(a) || theirs.kind != answer_to(mine.kind)) {
                continue;
            }
            const Sum own = after(mine, sums[a], sums[b]);
            sums[b] = after(theirs, sums[b], sums[a]);
            sums[a] = own;
            ++next[a];
            ++next[b];
            has_moved = true;
        }
    }
    for (std::size_t rank = 0; rank < n; ++rank) {
        if (next[rank] != schedule[rank].size()) return {};
    }
    return sums;
}

/// The balanced tree over [begin, end), where every rank r < rest is r + (2^k + r).
std::string tree_over(int begin, int end, int n_doubling, int rest) {
    if (end - begin == 1) {
        if (begin >= rest) return std::to_string(begin);
        return fmt::format("({}+{})", begin, begin + n_doubling);
    }
    const int middle = (begin + end) / 2;
    return fmt::format("({}+{})", tree_over(begin, middle, n_doubling, rest),
                       tree_over(middle, end, n_doubling, rest));
}

TEST(power_of_two_below, is_the_largest_not_above) {
    const std::vector<int> expected = {1, 2, 2, 4, 4, 4, 4, 8, 8, 8, 8, 8, 8, 8, 8, 16, 16};
    for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_EQ(power_of_two_below(static_cast<int>(i) + 1), expected[i]);
    }
}

TEST(recursive_doubling, leaves_the_same_balanced_tree_on_every_rank) {
    for (int size = 1; size <= max_ranks; ++size) {
        const int n_doubling = power_of_two_below(size);
        const std::string expected = tree_over(0, n_doubling, n_doubling, size - n_doubling);
        const std::vector<Sum> sums = carry_out(size);
        ASSERT_EQ(sums.size(), static_cast<std::size_t>(size)) << "standstill at " << size;
        for (const Sum& sum : sums) EXPECT_EQ(sum.text, expected) << size << " ranks";
    }
}

TEST(recursive_doubling, adds_neighbours_first) {
    EXPECT_EQ(carry_out(4)[3].text, "((0+1)+(2+3))");
    EXPECT_EQ(carry_out(8)[0].text, "(((0+1)+(2+3))+((4+5)+(6+7)))");
    EXPECT_EQ(carry_out(5)[4].text, "(((0+4)+1)+(2+3))");
    EXPECT_EQ(carry_out(3)[1].text, "((0+2)+1)");
}

TEST(recursive_doubling, takes_every_rank_exactly_once) {
    for (int size = 1; size <= max_ranks; ++size) {
        std::string text = carry_out(size).front().text;
        std::ranges::replace_if(
            text, [](char c) { return c < '0' || c > '9'; }, ' ');
        std::vector<int> leaves;
        for (std::size_t at = 0; (at = text.find_first_not_of(' ', at)) != std::string::npos;) {
            std::size_t length = 0;
            leaves.push_back(std::stoi(text.substr(at), &length));
            at += length;
        }
        std::ranges::sort(leaves);
        std::vector<int> all(static_cast<std::size_t>(size));
        std::iota(all.begin(), all.end(), 0);
        EXPECT_EQ(leaves, all);
    }
}

TEST(binomial_tree, parents_and_children_agree_and_reach_everybody) {
    for (int size = 1; size <= max_ranks; ++size) {
        std::vector<int> parents(static_cast<std::size_t>(size), -2);
        parents[0] = binomial_tree(0, size).parent;
        for (int rank = 0; rank < size; ++rank) {
            for (const int child : binomial_tree(rank, size).children) {
                ASSERT_LT(child, size);
                EXPECT_EQ(parents[static_cast<std::size_t>(child)], -2) << "two parents";
                parents[static_cast<std::size_t>(child)] = rank;
            }
        }
        EXPECT_EQ(parents[0], -1);
        for (int rank = 1; rank < size; ++rank) {
            EXPECT_EQ(parents[static_cast<std::size_t>(rank)], binomial_tree(rank, size).parent);
        }
    }
}

TEST(binomial_tree, is_as_deep_as_the_logarithm) {
    for (int size = 1; size <= max_ranks; ++size) {
        for (int rank = 0; rank < size; ++rank) {
            int depth = 0;
            for (int r = rank; r > 0; r = binomial_tree(r, size).parent) ++depth;
            EXPECT_LE(depth, std::bit_width(static_cast<unsigned>(size - 1)));
        }
    }
}

int count_below(int rank, int size) {
    int n = 1;
    for (const int child : binomial_tree(rank, size).children) n += count_below(child, size);
    return n;
}

TEST(binomial_tree, serves_large_subtrees_first_and_keeps_them_adjacent) {
    for (int size = 1; size <= max_ranks; ++size) {
        for (int rank = 0; rank < size; ++rank) {
            EXPECT_EQ(subtree_size(rank, size), count_below(rank, size));
            int end = rank + subtree_size(rank, size); // children downwards tile the subtree
            int step = size;
            for (const int child : binomial_tree(rank, size).children) {
                EXPECT_EQ(child + subtree_size(child, size), end);
                EXPECT_LT(child - rank, step);
                step = child - rank;
                end = child;
            }
            EXPECT_EQ(end, rank + 1);
        }
    }
}

} // namespace
} // namespace pillar::comm
