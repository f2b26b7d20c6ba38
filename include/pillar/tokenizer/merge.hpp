#pragma once
// The loop both kinds of tokenizer are made of: neighbouring symbols are joined, always the pair of
// lowest priority number first, the leftmost among equals, until no pair can be joined. Symbols are
// a linked list, pairs wait in a binary heap: O(n log n) for every text.

#include <cstddef>
#include <cstdint>
#include <span>
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

/// What was done, for tests: all of it must stay proportional to the text (heap operations cost a
/// logarithm each).
struct MergeWork {
    std::uint64_t lookups = 0; ///< pairs looked up
    std::uint64_t heap_pops = 0;
    std::uint64_t joins = 0;
};

/// Memory kept between two calls.
struct MergeSpace {
    std::vector<Symbol> symbols;
    std::vector<std::uint64_t> heap; // priority << 32 | left symbol
    MergeWork work;

    /// Start a text: no symbols.
    void clear() noexcept {
        symbols.clear();
        heap.clear();
    }
    /// Append a symbol whose text begins at byte `begin`.
    void append(std::uint32_t begin, std::uint32_t piece);
};

/// pair_of(left, right) → Pair for two neighbours. Afterwards the list from symbol 0 along `next`
/// is the result; the symbol array is not empty.
template <class PairOf>
void merge(MergeSpace& space, const PairOf& pair_of);

/// Put a pair on the heap / take the first one off.
void push_pair(std::vector<std::uint64_t>& heap, std::uint32_t priority, std::uint32_t left);
std::uint64_t pop_pair(std::vector<std::uint64_t>& heap);
void make_pair_heap(std::vector<std::uint64_t>& heap);

template <class PairOf>
void merge(MergeSpace& space, const PairOf& pair_of) {
    auto& symbols = space.symbols;
    const auto look_up = [&](std::uint32_t left) {
        Symbol& symbol = symbols[left];
        symbol.pair = {};
        if (symbol.next == no_symbol) return false;
        ++space.work.lookups;
        symbol.pair = pair_of(symbol, symbols[symbol.next]);
        return symbol.pair.priority != no_priority;
    };
    for (std::uint32_t i = 0; i < symbols.size(); ++i)
        if (look_up(i)) space.heap.push_back(std::uint64_t{symbols[i].pair.priority} << 32 | i);
    make_pair_heap(space.heap);

    while (!space.heap.empty()) {
        const std::uint64_t first = pop_pair(space.heap);
        ++space.work.heap_pops;
        const auto left = static_cast<std::uint32_t>(first);
        Symbol& symbol = symbols[left];
        if (symbol.pair.priority != first >> 32) continue; // a neighbour was joined meanwhile

        ++space.work.joins;
        Symbol& right = symbols[symbol.next];
        symbol.piece = symbol.pair.joined;
        symbol.next = right.next;
        right.pair = {};
        if (symbol.next != no_symbol) symbols[symbol.next].previous = left;
        if (look_up(left)) push_pair(space.heap, symbol.pair.priority, left);
        if (symbol.previous != no_symbol && look_up(symbol.previous))
            push_pair(space.heap, symbols[symbol.previous].pair.priority, symbol.previous);
    }
}

} // namespace pillar::tokenizer
