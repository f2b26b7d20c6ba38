#pragma once
// The loop both kinds of tokenizer are made of: neighbouring symbols are joined, always the pair of
// lowest priority number first, the leftmost among equals, until no pair can be joined. Symbols are
// a linked list, pairs wait in a queue: O(n log n) for every text.

#include "pillar/tokenizer/pair_queue.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace pillar::tokenizer {

inline constexpr std::uint32_t no_symbol = UINT32_MAX;
inline constexpr std::uint32_t no_priority = UINT32_MAX;

/// What a pair would become, and how early.
struct Pair {
    std::uint32_t priority = no_priority; ///< no_priority: the pair cannot be joined
    std::uint32_t joined = 0;             ///< number of the joined piece
};

struct Symbol {
    std::uint32_t begin = 0; ///< byte where its text begins; it ends where the next one begins
    std::uint32_t piece = 0; ///< number of its piece, in the caller's own numbering
    std::uint32_t previous = no_symbol;
    std::uint32_t next = no_symbol;
    Pair pair; ///< with its right neighbour
};

/// What was done, for tests: all of it must stay proportional to the text.
struct MergeWork {
    std::uint64_t lookups = 0; ///< pairs looked up
    std::uint64_t pops = 0;    ///< taken from the queue
    std::uint64_t joins = 0;
};

/// Memory kept between two calls, and the text's symbols.
struct MergeSpace {
    std::vector<Symbol> symbols;
    PairHeap heap;
    PairLists lists;
    MergeWork work;

    /// Append a symbol whose text begins at byte `begin`.
    void append(std::uint32_t begin, std::uint32_t piece);
};

/// Up to here a heap is quicker than lists.
inline constexpr std::size_t max_symbols_in_heap = 32'768;

/// pair_of(left, right) → Pair for two neighbours. Afterwards the list from symbol 0 along `next`
/// is the result; there is at least one symbol.
template <class PairOf, class Queue>
void merge(MergeSpace& space, Queue& queue, const PairOf& pair_of) {
    auto& symbols = space.symbols;
    const auto look_up = [&](std::uint32_t left) {
        Symbol& symbol = symbols[left];
        symbol.pair = {};
        if (symbol.next == no_symbol) return;
        ++space.work.lookups;
        symbol.pair = pair_of(symbol, symbols[symbol.next]);
        if (symbol.pair.priority != no_priority) queue.push({symbol.pair.priority, left});
    };
    for (std::uint32_t i = 0; i < symbols.size(); ++i) look_up(i);

    while (!queue.empty()) {
        const WaitingPair first = queue.pop();
        ++space.work.pops;
        Symbol& symbol = symbols[first.left];
        if (symbol.pair.priority != first.priority) continue; // a neighbour was joined meanwhile

        ++space.work.joins;
        Symbol& right = symbols[symbol.next];
        symbol.piece = symbol.pair.joined;
        symbol.next = right.next;
        right.pair = {};
        if (symbol.next != no_symbol) symbols[symbol.next].previous = first.left;
        if (symbol.previous != no_symbol) look_up(symbol.previous);
        look_up(first.left);
    }
}

template <class PairOf>
void merge(MergeSpace& space, const PairOf& pair_of) {
    if (space.symbols.size() <= max_symbols_in_heap)
        merge(space, space.heap, pair_of);
    else
        merge(space, space.lists, pair_of);
}

} // namespace pillar::tokenizer
