#pragma once
// Pairs of neighbours that wait to be joined: lowest priority number first, then the leftmost. Two
// ways to keep them: a heap, best while it fits into a cache, and one list for each priority, which
// stays fast for runs of millions of equal pairs because these come and go from left to right.

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

namespace pillar::tokenizer {

struct WaitingPair {
    std::uint32_t priority = 0;
    std::uint32_t left = 0; ///< number of the left symbol
};

/// A binary heap. O(log n) to push and to pop.
class PairHeap {
  public:
    [[nodiscard]] bool empty() const noexcept { return keys_.empty(); }
    void push(WaitingPair pair);
    WaitingPair pop();

  private:
    std::vector<std::uint64_t> keys_; // priority << 32 | left
};

/// A list for each priority. O(log d) to push and to pop with d different priorities, when the
/// pushes of a priority come in ascending order; a pair that comes out of order costs another O(log
/// n).
class PairLists {
  public:
    [[nodiscard]] bool empty() const noexcept { return lists_.empty(); }
    void push(WaitingPair pair);
    WaitingPair pop();

  private:
    struct List {
        std::vector<std::uint32_t> ascending;
        std::size_t first = 0;           // of those still waiting
        std::vector<std::uint32_t> late; // a heap, least first
    };
    std::map<std::uint32_t, List> lists_; // none is empty
};

} // namespace pillar::tokenizer
