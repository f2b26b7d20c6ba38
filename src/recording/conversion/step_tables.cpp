// The tables of steps: /steps, /ranks, /collectives.

#include "tables.hpp"

#include <algorithm>

namespace pillar::recording {

namespace {

const storage::Description phase_meanings{.meanings = {"prefill", "decode"}};

storage::Description seconds(std::string long_name) {
    return {.units = "s", .long_name = std::move(long_name)};
}

storage::Description bytes(std::string long_name) {
    return {.units = "byte", .long_name = std::move(long_name)};
}

TraceCost cost_after(const JournalScan& found, std::uint64_t step) {
    const auto cost = found.costs.find(step);
    return cost == found.costs.end() ? TraceCost{} : cost->second;
}

/// The longest payload of a collective of this kind.
std::uint32_t longest(std::span<const RankStep> steps, CollectiveKind kind) {
    std::uint32_t n_bytes = 0;
    for (const RankStep& rank : steps) {
        for (std::size_t k = 0; k < rank.kind.size(); ++k) {
            if (rank.kind[k] == static_cast<std::uint8_t>(kind))
                n_bytes = std::max(n_bytes, rank.bytes[k]);
        }
    }
    return n_bytes;
}

} // namespace

/// The first field is the dimension's.
StepsTable::StepsTable(storage::Group& root, const JournalScan& found)
    : found_(&found), table_(root, "steps"),
      step_(table_.dimension<std::uint64_t>(trace::step_fields()[0].name,
                                            trace::step_fields()[0].description())),
      columns_(table_, trace::step_fields().subspan(1)) {
    const TraceCost setup = cost_after(found, before_first_step);
    table_.group().attribute("setup_trace_s", setup.seconds);
    table_.group().attribute("setup_trace_bytes", setup.bytes);
}

void StepsTable::append(std::span<const RankStep> steps) {
    const StepHead& head = *steps.front().head;
    const TraceCost cost = cost_after(*found_, head.counts.step);
    const trace::StepRow row{head.counts,
                             head.begin_s - found_->header.origin_s,
                             head.end_s - head.begin_s,
                             longest(steps, CollectiveKind::broadcast),
                             longest(steps, CollectiveKind::gather),
                             head.propose_s,
                             head.sample_s,
                             head.trace_s + cost.seconds,
                             cost.bytes};
    step_.append(row.step);
    columns_.append(std::span(&row, 1));
    ++n_;
}

RanksTable::RanksTable(storage::Group& root, std::size_t n)
    : table_(root, "ranks"),
      step_(table_.dimension<std::uint64_t>(trace::step_fields()[0].name,
                                            trace::step_fields()[0].description())),
      rank_(table_.dimension<std::uint32_t>("rank", {.long_name = "MPI rank"})),
      columns_(table_, trace::rank_fields(), rank_, n), row_(n) {
    for (std::uint32_t rank = 0; rank < n; ++rank) rank_.append(rank);
}

void RanksTable::append(std::uint64_t step, std::span<const RankStep> steps,
                        std::span<const trace::RankTimes> times) {
    for (std::size_t rank = 0; rank < row_.size(); ++rank) {
        const StepHead head = steps[rank].head == nullptr ? StepHead{} : *steps[rank].head;
        const bool is_resolved = times[rank].wait_s > times[rank].wait_uncertainty_s;
        row_[rank] = {times[rank], head.counts, static_cast<std::uint8_t>(is_resolved ? 1 : 0),
                      head.traffic.bytes_sent, head.traffic.messages_sent};
    }
    step_.append(step);
    columns_.append(row_);
}

void CollectivesTable::add(engine::Phase phase, std::span<const CollectiveTimes> collectives) {
    for (const CollectiveTimes& one : collectives) {
        Sums& sums = rows_[{phase, one.kind, one.bytes}];
        sums.min_wire_s = sums.count == 0 ? one.wire_s : std::min(sums.min_wire_s, one.wire_s);
        ++sums.count;
        sums.wait_s += one.wait_s;
        sums.wire_s += one.wire_s;
    }
}

void CollectivesTable::write(storage::Group& root) const {
    Table table(root, "collectives");
    auto& row = table.dimension<std::uint32_t>("collective", {.long_name = "phase, kind and size"});
    auto& phase = table.column<std::uint8_t>("phase", phase_meanings);
    auto& kind =
        table.column<std::uint8_t>("kind", {.meanings = {"broadcast", "allreduce", "gather"}});
    auto& payload = table.column<std::uint32_t>("bytes", bytes("largest payload of a rank"));
    auto& count = table.column<std::uint64_t>("count", {.long_name = "collectives"});
    auto& wait_s = table.column<double>("wait_s", seconds("waiting, mean over ranks"));
    auto& wire_s = table.column<double>("wire_s", seconds("moving bytes, mean over ranks"));
    auto& wire_min_s =
        table.column<double>("wire_min_s", seconds("moving bytes, least of the means over ranks"));
    std::uint32_t index = 0;
    for (const auto& [key, sums] : rows_) {
        const auto n = static_cast<double>(sums.count);
        row.append(index++);
        phase.append(static_cast<std::uint8_t>(std::get<engine::Phase>(key)));
        kind.append(static_cast<std::uint8_t>(std::get<CollectiveKind>(key)));
        payload.append(std::get<std::uint32_t>(key));
        count.append(sums.count);
        wait_s.append(sums.wait_s / n);
        wire_s.append(sums.wire_s / n);
        wire_min_s.append(sums.min_wire_s);
    }
    table.finish();
}

} // namespace pillar::recording
