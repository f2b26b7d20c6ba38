// Both are emptied completely by every text, so that they can be used again.

#include "pillar/tokenizer/pair_queue.hpp"

#include <algorithm>
#include <functional>

namespace pillar::tokenizer {

namespace {

template <class T>
void push_min_heap(std::vector<T>& heap, T value) {
    heap.push_back(value);
    std::ranges::push_heap(heap, std::greater<>());
}

template <class T>
T pop_min_heap(std::vector<T>& heap) {
    std::ranges::pop_heap(heap, std::greater<>());
    const T value = heap.back();
    heap.pop_back();
    return value;
}

} // namespace

void PairHeap::push(WaitingPair pair) {
    push_min_heap(keys_, std::uint64_t{pair.priority} << 32 | pair.left);
}

WaitingPair PairHeap::pop() {
    const std::uint64_t key = pop_min_heap(keys_);
    return {static_cast<std::uint32_t>(key >> 32), static_cast<std::uint32_t>(key)};
}

void PairLists::push(WaitingPair pair) {
    List& list = lists_[pair.priority];
    if (list.ascending.empty() || pair.left >= list.ascending.back())
        list.ascending.push_back(pair.left);
    else
        push_min_heap(list.late, pair.left);
}

WaitingPair PairLists::pop() {
    const auto least = lists_.begin();
    List& list = least->second;
    WaitingPair pair{least->first, 0};
    const bool has_ascending = list.first < list.ascending.size();
    if (has_ascending && (list.late.empty() || list.ascending[list.first] <= list.late.front()))
        pair.left = list.ascending[list.first++];
    else
        pair.left = pop_min_heap(list.late);
    if (list.first == list.ascending.size() && list.late.empty()) lists_.erase(least);
    return pair;
}

} // namespace pillar::tokenizer
