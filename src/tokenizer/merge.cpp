// The heap of waiting pairs. Keys are whole numbers whose order is the order of joining; a pair
// that has changed since it was pushed is recognised when it comes out.

#include "pillar/tokenizer/merge.hpp"

#include <algorithm>
#include <functional>

namespace pillar::tokenizer {

void MergeSpace::append(std::uint32_t begin, std::uint32_t piece) {
    const auto number = static_cast<std::uint32_t>(symbols.size());
    if (number != 0) symbols.back().next = number;
    symbols.push_back({begin, piece, number == 0 ? no_symbol : number - 1, no_symbol, {}});
}

void make_pair_heap(std::vector<std::uint64_t>& heap) {
    std::make_heap(heap.begin(), heap.end(), std::greater<>());
}

void push_pair(std::vector<std::uint64_t>& heap, std::uint32_t priority, std::uint32_t left) {
    heap.push_back(std::uint64_t{priority} << 32 | left);
    std::push_heap(heap.begin(), heap.end(), std::greater<>());
}

std::uint64_t pop_pair(std::vector<std::uint64_t>& heap) {
    std::pop_heap(heap.begin(), heap.end(), std::greater<>());
    const std::uint64_t first = heap.back();
    heap.pop_back();
    return first;
}

} // namespace pillar::tokenizer
