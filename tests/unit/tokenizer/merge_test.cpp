// The merge loop against the obvious one that looks at all pairs each time, and the work it does on
// runs.

#include "pillar/tokenizer/merge.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace pillar::tokenizer {
namespace {

/// Joined texts with their priority; a pair may be joined when its text is here.
using Priorities = std::map<std::string, std::uint32_t, std::less<>>;

std::vector<std::string> merge_obviously(const std::string& text, const Priorities& priorities) {
    std::vector<std::string> symbols;
    for (const char c : text) symbols.emplace_back(1, c);
    for (;;) {
        std::size_t best = symbols.size();
        std::uint32_t best_priority = no_priority;
        for (std::size_t i = 0; i + 1 < symbols.size(); ++i) {
            const auto found = priorities.find(symbols[i] + symbols[i + 1]);
            if (found == priorities.end() || found->second >= best_priority) continue;
            best = i;
            best_priority = found->second;
        }
        if (best == symbols.size()) return symbols;
        symbols[best] += symbols[best + 1];
        symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(best) + 1);
    }
}

template <class Queue>
std::vector<std::string> merge_with(Queue MergeSpace::*queue, MergeSpace& space,
                                    std::string_view text, const Priorities& priorities) {
    space.symbols.clear();
    for (std::uint32_t i = 0; i < text.size(); ++i) space.append(i, 0);
    const auto end_of = [&](const Symbol& symbol) {
        return symbol.next == no_symbol ? text.size() : space.symbols[symbol.next].begin;
    };
    merge(space, space.*queue, [&](const Symbol& left, const Symbol& right) -> Pair {
        const auto found = priorities.find(text.substr(left.begin, end_of(right) - left.begin));
        return found == priorities.end() ? Pair{} : Pair{found->second, 0};
    });
    std::vector<std::string> symbols;
    for (std::uint32_t i = 0; i != no_symbol; i = space.symbols[i].next)
        symbols.emplace_back(
            text.substr(space.symbols[i].begin, end_of(space.symbols[i]) - space.symbols[i].begin));
    return symbols;
}

std::uint32_t below(std::mt19937& random, std::uint32_t limit) {
    return static_cast<std::uint32_t>(random()) % limit;
}

std::string random_text(std::mt19937& random, std::size_t size, unsigned n_letters) {
    std::string text(size, '\0');
    for (char& c : text) c = static_cast<char>('a' + random() % n_letters);
    return text;
}

TEST(Merge, JoinsInTheSameOrderAsLookingAtAllPairsEachTime) {
    std::mt19937 random(4);
    MergeSpace space;
    for (int round = 0; round < 500; ++round) {
        const std::uint32_t n_letters = 1 + below(random, 3);
        const unsigned n_priorities = round % 3 == 0   ? 1
                                      : round % 3 == 1 ? 3
                                                       : 1000; // many ties, few
        Priorities priorities;
        for (int i = 0; i < 30; ++i)
            priorities[random_text(random, 2 + random() % 5, n_letters)] =
                below(random, n_priorities);
        const std::string text = random_text(random, 1 + random() % 60, n_letters);
        const auto expected = merge_obviously(text, priorities);
        ASSERT_EQ(merge_with(&MergeSpace::heap, space, text, priorities), expected) << text;
        ASSERT_EQ(merge_with(&MergeSpace::lists, space, text, priorities), expected) << text;
    }
}

TEST(Merge, DoesWorkInProportionToTheTextHoweverItIsRepeated) {
    Priorities doubling;
    for (std::uint32_t i = 1; i < 12; ++i) doubling[std::string(std::size_t{1} << i, 'a')] = i;
    Priorities alike; // everything up to 16 letters, all of one priority
    for (std::size_t i = 2; i <= 16; ++i) alike[std::string(i, 'a')] = 7;
    Priorities growing; // the longer the earlier
    for (std::uint32_t i = 2; i <= 16; ++i) growing[std::string(i, 'a')] = 100 - i;
    for (const auto* priorities : {&doubling, &alike, &growing})
        for (const std::size_t size : {20'000, 200'000}) {
            for (const bool in_heap : {true, false}) {
                MergeSpace space;
                const std::string text(size, 'a');
                if (in_heap)
                    merge_with(&MergeSpace::heap, space, text, *priorities);
                else
                    merge_with(&MergeSpace::lists, space, text, *priorities);
                EXPECT_LT(space.work.joins, size);
                EXPECT_LE(space.work.lookups, 3 * size); // one a symbol, two a join
                EXPECT_LE(space.work.pops, space.work.lookups);
            }
        }
}

TEST(PairQueue, BothKindsGiveTheLeastPriorityAndThenTheLeftmost) {
    std::mt19937 random(5);
    PairHeap heap;
    PairLists lists;
    std::multimap<std::pair<std::uint32_t, std::uint32_t>, int> truth;
    for (int i = 0; i < 20'000; ++i) {
        if (truth.empty() || random() % 3 != 0) {
            const WaitingPair pair{below(random, 5), below(random, 1000)};
            heap.push(pair);
            lists.push(pair);
            truth.emplace(std::pair(pair.priority, pair.left), 0);
            continue;
        }
        const auto expected = truth.begin()->first;
        truth.erase(truth.begin());
        const WaitingPair one = heap.pop();
        const WaitingPair other = lists.pop();
        ASSERT_EQ(std::pair(one.priority, one.left), expected);
        ASSERT_EQ(std::pair(other.priority, other.left), expected);
        ASSERT_EQ(heap.empty(), truth.empty());
        ASSERT_EQ(lists.empty(), truth.empty());
    }
}

} // namespace
} // namespace pillar::tokenizer
