// Steps into columns: a collective becomes the gap before it and its length.

#include "ring.hpp"

#include <algorithm>

namespace pillar::recording {

Ring::Ring(std::size_t collectives_per_step)
    : n_collectives_capacity_(n_steps_capacity * std::max<std::size_t>(collectives_per_step, 4)),
      max_step_(collectives_per_step) {
    CollectiveColumns& columns = steps_.collectives;
    steps_.heads.reserve(n_steps_capacity);
    columns.gap_s.reserve(n_collectives_capacity_);
    columns.length_s.reserve(n_collectives_capacity_);
    columns.bytes.reserve(n_collectives_capacity_);
    columns.kind.reserve(n_collectives_capacity_);
}

void Ring::push(const engine::StepRecord& record) noexcept {
    const StepTimeline& timeline = *record.timeline;
    CollectiveColumns& columns = steps_.collectives;
    const std::size_t n = timeline.collectives.size();
    last_step_ = record.step;
    max_step_ = std::max(max_step_, n);
    if (n_steps() == n_steps_capacity || columns.kind.size() + n > n_collectives_capacity_) {
        ++steps_.n_lost;
        return;
    }
    steps_.heads.push_back({.counts = record,
                            .begin_s = timeline.begin_s,
                            .end_s = timeline.end_s,
                            .trace_s = 0,
                            .traffic = timeline.traffic,
                            .n_collectives = n});
    // Each f32 is taken from where a reader will be, so that roundings do not add up.
    double now_s = timeline.begin_s;
    for (const CollectiveTiming& one : timeline.collectives) {
        columns.gap_s.push_back(static_cast<float>(one.begin_s - now_s));
        now_s += columns.gap_s.back();
        columns.length_s.push_back(static_cast<float>(one.end_s - now_s));
        now_s += columns.length_s.back();
        columns.bytes.push_back(one.bytes);
        columns.kind.push_back(static_cast<std::uint8_t>(one.kind));
    }
}

bool Ring::charge(double seconds) noexcept {
    if (steps_.heads.empty()) return false;
    steps_.heads.back().trace_s += seconds;
    return true;
}

void Ring::clear() noexcept {
    steps_.heads.clear();
    steps_.collectives.gap_s.clear();
    steps_.collectives.length_s.clear();
    steps_.collectives.bytes.clear();
    steps_.collectives.kind.clear();
}

double Ring::age_s() const noexcept {
    return steps_.heads.empty() ? 0 : steps_.heads.back().end_s - steps_.heads.front().begin_s;
}

bool Ring::is_nearly_full() const noexcept {
    return n_steps() + 2 > n_steps_capacity ||
           steps_.collectives.kind.size() + 2 * max_step_ > n_collectives_capacity_;
}

std::string Ring::encode(std::uint32_t rank, const Cost& previous) {
    steps_.rank = rank;
    steps_.previous = previous;
    return recording::encode(steps_);
}

} // namespace pillar::recording
