// Steps into columns: a collective becomes the gap before it and its length.

#include "ring.hpp"

#include <algorithm>
#include <utility>

namespace pillar::recording {

Ring::Ring(std::size_t collectives_per_step, std::size_t n_threads)
    : n_collectives_capacity_(n_steps_capacity * std::max<std::size_t>(collectives_per_step, 4)),
      n_threads_capacity_(n_steps_capacity * n_threads), max_step_(collectives_per_step) {
    CollectiveColumns& columns = steps_.collectives;
    steps_.heads.reserve(n_steps_capacity);
    columns.gap_s.reserve(n_collectives_capacity_);
    columns.length_s.reserve(n_collectives_capacity_);
    columns.bytes.reserve(n_collectives_capacity_);
    columns.kind.reserve(n_collectives_capacity_);
    steps_.barrier_s.reserve(n_threads_capacity_);
    steps_.sensors.reserve(n_sensors_capacity);
}

void Ring::push(const engine::StepRecord& record) noexcept {
    const StepTimeline& timeline = *record.timeline;
    CollectiveColumns& columns = steps_.collectives;
    const std::size_t n = timeline.collectives.size();
    const double sample_s = record.sample_s + std::exchange(sample_s_, 0);
    last_step_ = record.step;
    max_step_ = std::max(max_step_, n);
    if (n_steps() == n_steps_capacity || columns.kind.size() + n > n_collectives_capacity_ ||
        steps_.barrier_s.size() + timeline.barrier_s.size() > n_threads_capacity_) {
        ++steps_.n_lost;
        return;
    }
    steps_.heads.push_back({.counts = record,
                            .begin_s = timeline.begin_s,
                            .end_s = timeline.end_s,
                            .trace_s = 0,
                            .layers_begin_s = timeline.layers_begin_s == 0
                                                  ? trace::missing_number
                                                  : timeline.layers_begin_s - timeline.begin_s,
                            .propose_s = record.propose_s,
                            .sample_s = sample_s,
                            .traffic = timeline.traffic,
                            .n_collectives = n,
                            .n_threads = timeline.barrier_s.size()});
    for (const double waited_s : timeline.barrier_s)
        steps_.barrier_s.push_back(static_cast<float>(waited_s));
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

void Ring::push(const SensorSample& sample) noexcept {
    if (steps_.sensors.size() < n_sensors_capacity) steps_.sensors.push_back(sample);
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
    steps_.barrier_s.clear();
    steps_.sensors.clear();
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
