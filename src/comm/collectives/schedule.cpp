// Recursive doubling and the binomial tree, written as what one rank does.

#include "pillar/comm/schedule.hpp"

#include "pillar/core/errors.hpp"

#include <algorithm>
#include <bit>

namespace pillar::comm {

int power_of_two_below(int n) noexcept {
    return static_cast<int>(std::bit_floor(static_cast<unsigned>(n)));
}

std::vector<Exchange> recursive_doubling(int rank, int size) {
    using Kind = Exchange::Kind;
    expects(0 <= rank && rank < size, "a rank lies within its communicator");
    const int n_doubling = power_of_two_below(size);
    if (rank >= n_doubling) {
        const int partner = rank - n_doubling;
        return {{Kind::fold_send, partner}, {Kind::result_receive, partner}};
    }
    std::vector<Exchange> exchanges;
    const bool has_folded = rank + n_doubling < size;
    if (has_folded) exchanges.push_back({Kind::fold_receive, rank + n_doubling});
    // Neighbours first: after bit b each rank holds the sum of its aligned block of 2^(b+1) ranks,
    // which is the balanced tree from its leaves up.
    for (int bit = 1; bit < n_doubling; bit *= 2) exchanges.push_back({Kind::swap, rank ^ bit});
    if (has_folded) exchanges.push_back({Kind::result_send, rank + n_doubling});
    return exchanges;
}

namespace {

/// The lowest set bit of a rank bounds its subtree; the root's is the whole tree.
int reach(int rank, int size) noexcept {
    return rank == 0 ? static_cast<int>(std::bit_ceil(static_cast<unsigned>(size))) : rank & -rank;
}

} // namespace

Tree binomial_tree(int rank, int size) {
    expects(0 <= rank && rank < size, "a rank lies within its communicator");
    Tree tree;
    if (rank != 0) tree.parent = rank & (rank - 1);
    for (int step = reach(rank, size) / 2; step > 0; step /= 2) {
        if (rank + step < size) tree.children.push_back(rank + step);
    }
    return tree;
}

int subtree_size(int rank, int size) noexcept {
    return std::min(reach(rank, size), size - rank);
}

} // namespace pillar::comm
