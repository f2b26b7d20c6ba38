// Layers, threads and telemetry of a trace.

#include "detail_tables.hpp"

#include <algorithm>

namespace pillar::recording {

namespace {

/// What is positive of a whole number that may not be recorded.
std::uint64_t positive(const std::optional<std::int64_t>& number) {
    return number && *number > 0 ? static_cast<std::uint64_t>(*number) : 0;
}

/// Threads of each rank, at least one.
std::vector<std::size_t> threads_of(const JournalScan& found) {
    std::vector<std::size_t> n_threads = found.n_threads;
    for (std::size_t& n : n_threads) n = std::max<std::size_t>(n, 1);
    return n_threads;
}

std::size_t sum_of(const std::vector<std::size_t>& numbers) {
    std::size_t sum = 0;
    for (const std::size_t number : numbers) sum += number;
    return sum;
}

} // namespace

LayersTable::LayersTable(storage::Group& root, const JournalScan& found, const ClockTable& clocks)
    : rows_(root, "layers", "entry", trace::layer_fields()), clocks_(&clocks),
      origin_s_(found.header.origin_s), every_(positive(found.header.config.get<"trace_layers">())),
      n_layers_(positive(found.header.config.get<"n_layers">())) {}

void LayersTable::append(std::span<const RankStep> steps, const StepDivider& divider) {
    for (std::size_t rank = 0; rank < steps.size(); ++rank) {
        const StepHead* head = steps[rank].head;
        if (head == nullptr || every_ == 0 || head->counts.step % every_ != 0) continue;
        const double begin_s = clocks_->to_root(rank, head->begin_s) - origin_s_;
        for (trace::LayerRow& row :
             layers_of(steps[rank], divider.parts(rank), n_layers_, begin_s)) {
            row.rank = static_cast<std::uint32_t>(rank);
            rows_.append(row);
        }
    }
}

ThreadsTable::ThreadsTable(storage::Group& root, const JournalScan& found)
    : table_(root, "threads"),
      step_(table_.dimension<std::uint64_t>(trace::step_fields()[0].name,
                                            trace::step_fields()[0].description())),
      thread_(table_.dimension<std::uint32_t>("thread", {.long_name = "of all ranks' threads"})),
      rank_(table_.group().column<std::uint32_t>("rank", {.long_name = "whose thread it is"})),
      number_(table_.group().column<std::uint32_t>(
          "number", {.long_name = "among the rank's; 0 is the main thread"})),
      barrier_s_(table_.column<double>(
          "barrier_s", {.units = "s", .long_name = "waiting at barriers for other threads"},
          thread_, sum_of(threads_of(found)))),
      n_threads_(threads_of(found)) {
    table_.group().attach(rank_, thread_);
    table_.group().attach(number_, thread_);
    std::uint32_t thread = 0;
    for (std::uint32_t rank = 0; rank < n_threads_.size(); ++rank) {
        for (std::uint32_t number = 0; number < n_threads_[rank]; ++number) {
            thread_.append(thread++);
            rank_.append(rank);
            number_.append(number);
        }
    }
}

void ThreadsTable::append(std::uint64_t step, std::span<const RankStep> steps) {
    row_.clear();
    for (std::size_t rank = 0; rank < n_threads_.size(); ++rank) {
        const std::span<const float> waits = steps[rank].barrier_s;
        for (std::size_t i = 0; i < n_threads_[rank]; ++i)
            row_.push_back(i < waits.size() ? static_cast<double>(waits[i])
                                            : trace::missing_number);
    }
    step_.append(step);
    barrier_s_.append(std::span<const double>(row_));
}

void ThreadsTable::finish() {
    rank_.finish();
    number_.finish();
    table_.finish();
}

TelemetryTable::TelemetryTable(storage::Group& root, const JournalScan& found,
                               const ClockTable& clocks)
    : rows_(root, "telemetry", "sample", trace::telemetry_fields()), clocks_(&clocks),
      origin_s_(found.header.origin_s) {}

void TelemetryTable::append(const RankSteps& rank) {
    for (const SensorSample& sample : rank.sensors)
        rows_.append({clocks_->to_root(rank.rank, sample.time_s) - origin_s_, rank.rank,
                      static_cast<std::uint32_t>(sample.throttled), sample.clock_hz,
                      sample.temperature_c, sample.supply_v, sample.power_w,
                      sample.resident_bytes});
}

} // namespace pillar::recording
