// A gather's steps, cut into blocks of one.

#include "step_walk.hpp"

#include "pillar/core/errors.hpp"

namespace pillar::recording {

namespace {

template <class T>
std::vector<T> copy_of(std::span<const T> values) {
    return {values.begin(), values.end()};
}

/// One step of one rank, which may lack it. The first one takes what belongs to none.
RankSteps one_step(const RankSteps& all, const RankStep& step, bool is_first) {
    RankSteps one;
    one.rank = all.rank;
    one.previous = is_first ? all.previous : Cost{all.previous.after_step, 0, 0};
    one.n_lost = all.n_lost;
    if (is_first) one.sensors = all.sensors;
    if (step.head == nullptr) return one;
    one.heads = {*step.head};
    one.collectives = {copy_of(step.gap_s), copy_of(step.length_s), copy_of(step.bytes),
                       copy_of(step.kind)};
    one.barrier_s = copy_of(step.barrier_s);
    return one;
}

std::string encode_all(const std::vector<RankSteps>& ranks) {
    std::vector<std::string> texts;
    for (const RankSteps& rank : ranks) texts.push_back(encode(rank));
    return encode_block(texts);
}

} // namespace

std::vector<std::string> blocks_by_step(const StepBlock& gathered) {
    if (gathered.ranks.empty() || gathered.ranks[0].heads.size() <= 1)
        return {encode_all(gathered.ranks)};
    std::vector<RankWalk> walks;
    for (const RankSteps& rank : gathered.ranks) walks.emplace_back(&rank);
    std::vector<std::string> blocks;
    std::vector<RankSteps> ranks;
    for (const StepHead& head : gathered.ranks[0].heads) {
        ranks.clear();
        for (std::size_t i = 0; i < walks.size(); ++i) {
            ranks.push_back(
                one_step(gathered.ranks[i], walks[i].take(head.counts.step), blocks.empty()));
        }
        blocks.push_back(encode_all(ranks));
    }
    return blocks;
}

} // namespace pillar::recording
