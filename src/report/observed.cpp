#include "observed.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/core/median.hpp"
#include "pillar/core/text.hpp"
#include "recorded.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/core.h>
#include <set>
#include <tuple>

namespace pillar::report {

namespace {

double run_s(const trace::Trace& trace) {
    return trace.steps.empty() ? 0 : trace.steps.back().t_start_s + trace.steps.back().duration_s;
}

std::vector<ClockReading> clocks_of(const trace::Trace& trace) {
    std::vector<ClockReading> clocks;
    const double length_s = run_s(trace);
    for (std::size_t rank = 1; rank < trace.details.clocks.size(); ++rank) {
        const trace::ClockRow& row = trace.details.clocks[rank];
        if (!std::isfinite(row.offset_s) || !std::isfinite(row.offset_end_s)) continue;
        ClockReading clock{.path = trace.path,
                           .rank = rank,
                           .host = trace.hosts[rank].hostname,
                           .offset_s = row.offset_s,
                           .uncertainty_s = trace.hosts[rank].clock_uncertainty_s};
        if (length_s > 0) { // both ends are known to the uncertainty
            clock.drift_ppm = -1e6 * (row.offset_end_s - row.offset_s) / length_s;
            clock.drift_uncertainty_ppm = 2e6 * clock.uncertainty_s / length_s;
        }
        clocks.push_back(clock);
    }
    return clocks;
}

auto key_of(const trace::CollectiveRow& row) {
    return std::tuple(row.phase, row.kind, row.bytes);
}

void add_collectives(std::vector<trace::CollectiveRow>& rows,
                     const std::vector<trace::CollectiveRow>& others) {
    for (const trace::CollectiveRow& other : others) {
        const auto row = std::ranges::find_if(
            rows, [&](const trace::CollectiveRow& one) { return key_of(one) == key_of(other); });
        if (row == rows.end()) {
            rows.push_back(other);
            continue;
        }
        const auto n = static_cast<double>(row->count);
        const auto m = static_cast<double>(other.count);
        row->wait_s = (n * row->wait_s + m * other.wait_s) / (n + m);
        row->wire_s = (n * row->wire_s + m * other.wire_s) / (n + m);
        row->wire_min_s = std::min(row->wire_min_s, other.wire_min_s);
        row->count += other.count;
    }
}

/// Steps of which layers are recorded; none where none are.
std::set<std::uint64_t> steps_with_layers(const trace::Trace& trace) {
    std::set<std::uint64_t> steps;
    for (const trace::LayerRow& row : trace.layers) steps.insert(row.step);
    return steps;
}

/// The decode step whose duration is the median's, as near as there is one; with its layers where
/// those of any decode step are recorded.
std::optional<ExampleStep> example_of(const trace::Trace& trace) {
    std::vector<double> durations_s;
    for (std::size_t i = 0; i < trace.n_steps(); ++i)
        if (trace.steps[i].phase == trace::Phase::decode && slowest_in(trace, i))
            durations_s.push_back(trace.steps[i].duration_s);
    if (durations_s.empty()) return std::nullopt;
    const double middle_s = median(durations_s);
    const auto with_layers = steps_with_layers(trace);
    const bool has_layers = std::ranges::any_of(trace.steps, [&](const trace::StepRow& step) {
        return step.phase == trace::Phase::decode && with_layers.contains(step.step);
    });
    std::optional<ExampleStep> example;
    for (std::size_t i = 0; i < trace.n_steps(); ++i) {
        const trace::StepRow& step = trace.steps[i];
        if (step.phase != trace::Phase::decode || !slowest_in(trace, i) ||
            (has_layers && !with_layers.contains(step.step)))
            continue;
        if (example &&
            std::abs(step.duration_s - middle_s) >= std::abs(example->duration_s - middle_s))
            continue;
        example = {.path = trace.path,
                   .step = step.step,
                   .t_start_s = step.t_start_s,
                   .duration_s = step.duration_s,
                   .ranks = {},
                   .layers = {}};
        for (std::size_t rank = 0; rank < trace.n_ranks(); ++rank)
            example->ranks.push_back(trace.at(i, rank));
    }
    for (const trace::LayerRow& row : trace.layers)
        if (example && row.step == example->step && row.rank < trace.n_ranks())
            example->layers.push_back(row);
    return example;
}

/// What a phase computed, of steps of which all records are there.
Work work_of(const trace::Trace& trace, const perf::RunShape& shape, trace::Phase phase) {
    Work sums;
    for (std::size_t i = 0; i < trace.n_steps(); ++i) {
        const trace::StepRow& step = trace.steps[i];
        if (step.phase != phase || step.n_rows == 0 || !slowest_in(trace, i)) continue;
        const perf::StepWork work =
            perf::step_work(shape, {step.n_rows, step.n_logits, step.n_attended, step.n_cached});
        for (std::size_t rank = 0; rank < trace.n_ranks(); ++rank) {
            sums.bytes += work.ranks[rank].matrix_bytes + work.ranks[rank].kv_bytes;
            sums.macs += work.ranks[rank].matrix_macs + work.ranks[rank].attention_macs;
            sums.compute_s += trace.at(i, rank).compute_s;
        }
    }
    return sums;
}

/// Clocks and temperatures at the start and at the end.
void add_ends(std::vector<Series>& series, const trace::Trace& trace) {
    for (std::size_t rank = 0; rank < trace.details.clocks.size(); ++rank) {
        const trace::ClockRow& row = trace.details.clocks[rank];
        const std::string name = fmt::format("{} {}", rank, trace.hosts[rank].hostname);
        const auto add = [&](Series::Kind kind, double begin, double end) {
            if (std::isfinite(begin) && std::isfinite(end))
                series.push_back({kind, name, {0, run_s(trace)}, {begin, end}});
        };
        add(Series::Kind::core_hz, row.core_hz / 1e9, row.core_end_hz / 1e9);
        add(Series::Kind::temperature, row.temperature_c, row.temperature_end_c);
    }
}

/// What the machines told while the run went on.
void add_telemetry(std::vector<Series>& series, const trace::Trace& trace) {
    for (std::size_t rank = 0; rank < trace.n_ranks(); ++rank) {
        const std::string name = fmt::format("{} {}", rank, trace.hosts[rank].hostname);
        const auto add = [&](Series::Kind kind, double trace::TelemetryRow::*member, double scale) {
            Series one{kind, name, {}, {}};
            for (const trace::TelemetryRow& row : trace.telemetry) {
                if (row.rank != rank || !std::isfinite(row.*member)) continue;
                one.time_s.push_back(row.t_s);
                one.values.push_back(row.*member * scale);
            }
            if (!one.time_s.empty()) series.push_back(std::move(one));
        };
        add(Series::Kind::core_hz, &trace::TelemetryRow::clock_hz, 1e-9);
        add(Series::Kind::temperature, &trace::TelemetryRow::temperature_c, 1);
        add(Series::Kind::watts, &trace::TelemetryRow::power_w, 1);
    }
}

constexpr std::array throttling_names{"under-voltage", "capped clock", "throttling",
                                      "soft temperature limit"};

/// The telemetry's samples with a bit of now: "throttling from 12 s on in 3 of 60 samples".
std::vector<std::string> sampled_events(const trace::Trace& trace, std::size_t rank) {
    std::vector<std::string> events;
    for (std::size_t bit = 0; bit < throttling_names.size(); ++bit) {
        std::size_t n = 0, n_set = 0;
        double first_s = 0;
        for (const trace::TelemetryRow& row : trace.telemetry) {
            if (row.rank != rank) continue;
            ++n;
            if ((row.throttled >> bit & 1U) == 0) continue;
            if (n_set++ == 0) first_s = row.t_s;
        }
        if (n_set > 0)
            events.push_back(fmt::format("{} from {:.0f} s on in {} of {} samples",
                                         throttling_names[bit], std::max(0.0, first_s), n_set, n));
    }
    return events;
}

/// Of `vcgencmd get_throttled`: bits 0 to 3 are of now, 16 to 19 since the board was started.
std::vector<std::string> events_of(std::uint32_t start, std::uint32_t end) {
    const auto& names = throttling_names;
    std::vector<std::string> events;
    for (std::size_t bit = 0; bit < names.size(); ++bit) {
        const bool is_now = (end >> bit & 1U) != 0;
        const bool was = (end >> (bit + 16) & 1U) != 0;
        const bool was_before = (start >> (bit + 16) & 1U) != 0;
        if (is_now)
            events.push_back(fmt::format("{} at the end", names[bit]));
        else if (was)
            events.push_back(fmt::format("{} {}", names[bit],
                                         was_before ? "already before the run" : "during the run"));
    }
    return events;
}

void add_work(Work& work, const Work& other) {
    work.bytes += other.bytes;
    work.macs += other.macs;
    work.compute_s += other.compute_s;
}

} // namespace

bool ClockReading::is_resolved() const noexcept {
    return std::abs(offset_s) > uncertainty_s || std::abs(drift_ppm) > drift_uncertainty_ppm;
}

void observe(Totals& totals, const trace::Trace& trace) {
    totals.waiting = waiting_of(trace);
    totals.collectives = trace.details.collectives;
    totals.clocks = clocks_of(trace);
    totals.example = example_of(trace);
    if (const auto shape = recorded_shape(trace)) {
        totals.decode_work = work_of(trace, *shape, trace::Phase::decode);
        totals.prompt_work = work_of(trace, *shape, trace::Phase::prefill);
    }
    add_telemetry(totals.series, trace);
    if (totals.series.empty()) add_ends(totals.series, trace);
    for (const trace::TokenRow& token : trace.details.tokens)
        totals.tokens.push_back({token.position, token.latency_s});
}

void add_observed(Totals& totals, const Totals& other) {
    totals.waiting.add(other.waiting);
    add_collectives(totals.collectives, other.collectives);
    totals.clocks.insert(totals.clocks.end(), other.clocks.begin(), other.clocks.end());
    totals.tokens.insert(totals.tokens.end(), other.tokens.begin(), other.tokens.end());
    if (!totals.example) totals.example = other.example;
    add_work(totals.decode_work, other.decode_work);
    add_work(totals.prompt_work, other.prompt_work);
    if (!totals.energy)
        totals.energy = other.energy;
    else if (other.energy)
        totals.energy->add(*other.energy);
    for (std::size_t rank = 0; rank < totals.n_slowest.size(); ++rank)
        totals.n_slowest[rank] += other.n_slowest[rank];
}

std::optional<std::size_t> slowest_in(const trace::Trace& trace, std::size_t step) {
    std::size_t slowest = 0;
    for (std::size_t rank = 0; rank < trace.n_ranks(); ++rank) {
        const double compute_s = trace.at(step, rank).compute_s;
        if (!std::isfinite(compute_s)) return std::nullopt;
        if (compute_s > trace.at(step, slowest).compute_s) slowest = rank;
    }
    return slowest;
}

std::vector<std::string> throttling_of(const trace::Trace& trace) {
    std::vector<std::string> sentences;
    for (std::size_t rank = 0; rank < trace.n_ranks(); ++rank) {
        const std::uint32_t end = trace.hosts[rank].throttled;
        const auto sampled = sampled_events(trace, rank);
        if (end == 0 && sampled.empty()) continue;
        const bool knows_start = rank < trace.details.clocks.size();
        auto events = events_of(knows_start ? trace.details.clocks[rank].throttled : 0, end);
        events.insert(events.end(), sampled.begin(), sampled.end());
        sentences.push_back(fmt::format("{}: rank {} ({}) was throttled (bits {:#x}){}{}",
                                        printable(trace.path), rank,
                                        printable(trace.hosts[rank].hostname), end,
                                        events.empty() ? "" : ": ", joined(events, ", ")));
    }
    return sentences;
}

} // namespace pillar::report
