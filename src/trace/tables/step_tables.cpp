// The tables of steps: /steps, /ranks, /collectives.

#include "tables.hpp"

#include <algorithm>

namespace pillar::trace {

namespace {

const storage::Description step_number{.long_name = "number of the step in the run"};
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

StepsTable::StepsTable(storage::Group& root, const JournalScan& found)
    : found_(&found), table_(root, "steps"),
      step_(table_.dimension<std::uint64_t>("step", step_number)),
      t_start_s_(
          table_.column<double>("t_start_s", seconds("begin on rank 0's clock, since `created`"))),
      duration_s_(table_.column<double>("duration_s", seconds("begin to end on rank 0"))),
      phase_(table_.column<std::uint8_t>("phase", phase_meanings)),
      n_rows_(table_.column<std::uint32_t>("n_rows", {.long_name = "rows computed"})),
      n_logits_(table_.column<std::uint32_t>("n_logits", {.long_name = "rows with logits"})),
      n_attended_(table_.column<std::uint64_t>(
          "n_attended", {.long_name = "pairs of a row and a position that it sees"})),
      n_cached_(table_.column<std::uint64_t>(
          "n_cached", {.long_name = "positions whose keys and values are read"})),
      order_bytes_(table_.column<std::uint32_t>("order_bytes", bytes("rank 0's message to all"))),
      answer_bytes_(table_.column<std::uint32_t>("answer_bytes", bytes("longest answer of a rank"))),
      trace_s_(table_.column<double>("trace_s", seconds("tracing after the step, on rank 0"))),
      trace_bytes_(table_.column<std::uint64_t>(
          "trace_bytes", bytes("sent by all ranks after the step for traces and clocks"))) {
    const TraceCost setup = cost_after(found, before_first_step);
    table_.group().attribute("setup_trace_s", setup.seconds);
    table_.group().attribute("setup_trace_bytes", setup.bytes);
}

void StepsTable::append(std::span<const RankStep> steps) {
    const StepHead& head = *steps.front().head;
    const TraceCost cost = cost_after(*found_, head.step);
    step_.append(head.step);
    t_start_s_.append(head.begin_s - found_->header.origin_s);
    duration_s_.append(head.end_s - head.begin_s);
    phase_.append(static_cast<std::uint8_t>(head.phase));
    n_rows_.append(head.n_rows);
    n_logits_.append(head.n_logits);
    n_attended_.append(head.n_attended);
    n_cached_.append(head.n_cached);
    order_bytes_.append(longest(steps, CollectiveKind::broadcast));
    answer_bytes_.append(longest(steps, CollectiveKind::gather));
    trace_s_.append(head.trace_s + cost.seconds);
    trace_bytes_.append(cost.bytes);
    ++n_;
}

RanksTable::RanksTable(storage::Group& root, std::size_t n)
    : table_(root, "ranks"), step_(table_.dimension<std::uint64_t>("step", step_number)),
      rank_(table_.dimension<std::uint32_t>("rank", {.long_name = "MPI rank"})),
      compute_s_(table_.column<double>("compute_s", seconds("outside collectives"), rank_, n)),
      wait_s_(table_.column<double>("wait_s", seconds("in collectives, until the last rank came"),
                                    rank_, n)),
      wire_s_(table_.column<double>("wire_s", seconds("in collectives, after the last rank came"),
                                    rank_, n)),
      idle_s_(table_.column<double>(
          "idle_s", seconds("before rank 0 began the step, not part of it"), rank_, n)),
      wait_uncertainty_s_(table_.column<double>(
          "wait_uncertainty_s", seconds("how far wait_s may be off because of the clocks"), rank_,
          n)),
      wait_resolved_(table_.column<std::uint8_t>(
          "wait_resolved",
          {.long_name = "wait_s and its uncertainty", .meanings = {"below", "above"}}, rank_, n)),
      bytes_sent_(table_.column<std::uint64_t>("bytes_sent",
                                               bytes("payload of the step's messages"), rank_, n)),
      messages_sent_(table_.column<std::uint64_t>("messages_sent",
                                                  {.long_name = "messages of the step"}, rank_, n)),
      bytes_read_(
          table_.column<std::uint64_t>("bytes_read", bytes("read from the model file"), rank_, n)),
      seconds_(n), counts_(n), flags_(n) {
    for (std::uint32_t rank = 0; rank < n; ++rank) rank_.append(rank);
}

void RanksTable::append(std::uint64_t step, std::span<const RankStep> steps,
                        std::span<const RankTimes> times) {
    const auto append_times = [&](storage::Column& column, double RankTimes::*field) {
        std::ranges::transform(times, seconds_.begin(),
                               [&](const RankTimes& rank) { return rank.*field; });
        column.append(std::span<const double>(seconds_));
    };
    const auto append_counts = [&](storage::Column& column, std::uint64_t StepHead::*field) {
        std::ranges::transform(steps, counts_.begin(), [&](const RankStep& rank) {
            return rank.head == nullptr ? 0 : rank.head->*field;
        });
        column.append(std::span<const std::uint64_t>(counts_));
    };
    step_.append(step);
    append_times(compute_s_, &RankTimes::compute_s);
    append_times(wait_s_, &RankTimes::wait_s);
    append_times(wire_s_, &RankTimes::wire_s);
    append_times(idle_s_, &RankTimes::idle_s);
    append_times(wait_uncertainty_s_, &RankTimes::wait_uncertainty_s);
    std::ranges::transform(times, flags_.begin(), [](const RankTimes& rank) {
        return static_cast<std::uint8_t>(rank.wait_s > rank.wait_uncertainty_s ? 1 : 0);
    });
    wait_resolved_.append(std::span<const std::uint8_t>(flags_));
    append_counts(bytes_sent_, &StepHead::bytes_sent);
    append_counts(messages_sent_, &StepHead::messages_sent);
    append_counts(bytes_read_, &StepHead::bytes_read);
}

void CollectivesTable::add(engine::Phase phase, std::span<const CollectiveTimes> collectives) {
    for (const CollectiveTimes& one : collectives) {
        Sums& sums = rows_[{phase, one.kind, one.bytes}];
        sums.shortest_wire_s =
            sums.count == 0 ? one.wire_s : std::min(sums.shortest_wire_s, one.wire_s);
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
        wire_min_s.append(sums.shortest_wire_s);
    }
    table.finish();
}

} // namespace pillar::trace
