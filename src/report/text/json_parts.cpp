// Studies, laws, waiting, messages, clocks and joules for programs.

#include "text/json_parts.hpp"

#include "pillar/report/laws.hpp"

namespace pillar::report {

namespace {

using tables::List, tables::Record, tables::Value;

Record estimate_record(const perf::Estimate& estimate) {
    return {{"value", estimate.value}, {"low", estimate.low}, {"high", estimate.high}};
}

void set_quality(Record& record, const perf::Quality& quality) {
    record.set("points", quality.n_points);
    record.set("points_beyond", quality.n_beyond);
    record.set("largest_relative_error", quality.largest_relative_error);
}

Value laws_record(const Laws& laws) {
    Record record;
    if (laws.amdahl) {
        Record law{{"serial_part", estimate_record(laws.amdahl->serial)},
                   {"one_s", estimate_record(laws.amdahl->one_s)}};
        set_quality(law, laws.amdahl->quality);
        record.set("amdahl", law);
    }
    if (laws.gustafson) {
        Record law{{"serial_part", estimate_record(laws.gustafson->serial)}};
        set_quality(law, laws.gustafson->quality);
        record.set("gustafson", law);
    }
    if (laws.time) {
        Record law{{"a_s", estimate_record(laws.time->a)},
                   {"b_s", estimate_record(laws.time->b)},
                   {"c_s", estimate_record(laws.time->c)}};
        set_quality(law, laws.time->quality);
        record.set("time", law);
    }
    return record.fields().empty() ? Value() : Value(record);
}

Value phase_record(const metering::PhaseEnergy& phase) {
    if (phase.n_steps + phase.n_steps_in_gaps == 0) return {};
    const auto n = static_cast<double>(phase.n_tokens);
    const auto over = [&](double below) {
        return below > 0 ? std::optional(phase.joules / below) : std::nullopt;
    };
    return Record{{"j_per_token", over(n)},
                  {"watts", over(phase.seconds)},
                  {"tokens", phase.n_tokens},
                  {"steps", phase.n_steps},
                  {"steps_in_gaps", phase.n_steps_in_gaps}};
}

Record node_record(const metering::NodeEnergy& node) {
    return {{"name", node.name},
            {"prompt", phase_record(node.prompt)},
            {"decode", phase_record(node.decode)}};
}

} // namespace

List studies_list(const ScalingTable& table) {
    List studies;
    for (const Study& study : studies_of(table)) {
        List values;
        for (const StudyPoint& point : study.points)
            values.push_back(Record{{"row", point.row}, {"value", point.label}});
        studies.push_back(
            Record{{"study", name_of(study)},
                   {"setting", study.setting},
                   {"alike", study.alike},
                   {"points", std::move(values)},
                   {"decode", laws_record(laws_of(table, study, trace::Phase::decode))},
                   {"prompt", laws_record(laws_of(table, study, trace::Phase::prefill))}});
    }
    return studies;
}

Value waiting_record(const Totals& totals) {
    const WaitingMatrix& matrix = totals.waiting;
    if (matrix.n_ranks() < 2) return {};
    List pairs;
    for (std::size_t rank = 0; rank < matrix.n_ranks(); ++rank)
        for (std::size_t cause = 0; cause < matrix.n_ranks(); ++cause)
            if (matrix.wait_s(rank, cause) > 0)
                pairs.push_back(Record{{"rank", rank},
                                       {"cause", cause},
                                       {"wait_s", matrix.wait_s(rank, cause)},
                                       {"wait_uncertainty_s", matrix.uncertainty_s(rank, cause)}});
    const auto most = waited_for_most(matrix);
    Record record{{"steps", matrix.n_steps},
                  {"is_estimated", matrix.is_estimated},
                  {"pairs", std::move(pairs)},
                  {"most_caused_by", most ? Value(most->cause) : Value()},
                  {"share_of_it", most ? Value(most->share) : Value()},
                  {"only_waiter", most ? Value(most->only_waiter) : Value()}};
    return record;
}

Value messages_record(const ScalingRow& row) {
    if (row.n_ranks < 2) return {};
    List sizes;
    for (const perf::Point& point : message_times_of(row))
        sizes.push_back(Record{{"bytes", point.x}, {"wire_s", point.y}});
    const auto fit = message_fit(row);
    return Record{{"sizes", std::move(sizes)},
                  {"latency_s", fit ? Value(estimate_record(fit->offset)) : Value()},
                  {"s_per_byte", fit ? Value(estimate_record(fit->slope)) : Value()}};
}

List clocks_list(const Totals& totals) {
    List clocks;
    for (const ClockReading& clock : totals.clocks)
        clocks.push_back(Record{{"trace", clock.path},
                                {"rank", clock.rank},
                                {"offset_s", clock.offset_s},
                                {"offset_uncertainty_s", clock.uncertainty_s},
                                {"drift_ppm", clock.drift_ppm},
                                {"drift_uncertainty_ppm", clock.drift_uncertainty_ppm}});
    return clocks;
}

Value energy_record(const Totals& totals) {
    if (!totals.energy) return {};
    List nodes;
    for (const metering::NodeEnergy& node : totals.energy->nodes)
        nodes.push_back(node_record(node));
    Record record = node_record(totals.energy->all);
    record.set("nodes", std::move(nodes));
    return record;
}

} // namespace pillar::report
