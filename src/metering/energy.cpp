// A log's watts over a trace's steps. Between two samples power is taken as a straight line.

#include "pillar/metering/energy.hpp"
#include "pillar/core/errors.hpp"
#include "pillar/core/median.hpp"
#include "pillar/core/text.hpp"
#include "pillar/trace/step_seconds.hpp"
#include "time_stamp.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/core.h>

namespace pillar::metering {

namespace {

/// Samples farther apart than this many of their usual distances have a gap between them.
constexpr double gap_of_usual = 3;

/// Integrals of one column between any two times, counted from a trace's beginning: since 1970 an
/// f64 tells times to a quarter of a microsecond, which is much of a short step.
class Integral {
  public:
    Integral(const MeterColumn& column, double begin_s) : column_(&column) {
        for (const double time_s : column.time_s) times_s_.push_back(time_s - begin_s);
        std::vector<double> distances_s;
        for (std::size_t i = 1; i < times_s_.size(); ++i)
            distances_s.push_back(times_s_[i] - times_s_[i - 1]);
        const double longest_s = gap_of_usual * median(distances_s);
        joules_.push_back(0);
        n_gaps_.push_back(0);
        for (std::size_t i = 1; i < times_s_.size(); ++i) {
            const double mean_w = (column.watts[i] + column.watts[i - 1]) / 2;
            joules_.push_back(joules_.back() + mean_w * distances_s[i - 1]);
            n_gaps_.push_back(n_gaps_.back() + (distances_s[i - 1] > longest_s ? 1 : 0));
        }
    }
    [[nodiscard]] bool covers(double from_s, double to_s) const {
        if (from_s < times_s_.front() || to_s > times_s_.back()) return false;
        // A time that is a sample's own ends the interval before it.
        const auto end = std::ranges::lower_bound(times_s_, to_s) - times_s_.begin();
        const std::size_t first = interval(from_s);
        return n_gaps_[std::max(first, static_cast<std::size_t>(end))] == n_gaps_[first - 1];
    }
    [[nodiscard]] double joules(double from_s, double to_s) const {
        return until(to_s) - until(from_s);
    }

  private:
    /// The sample that ends the interval which holds a time.
    [[nodiscard]] std::size_t interval(double time_s) const {
        const auto after = std::ranges::upper_bound(times_s_, time_s) - times_s_.begin();
        return std::clamp<std::size_t>(static_cast<std::size_t>(after), 1, times_s_.size() - 1);
    }
    [[nodiscard]] double until(double time_s) const {
        const std::size_t i = interval(time_s);
        const double length_s = times_s_[i] - times_s_[i - 1];
        const double into_s = time_s - times_s_[i - 1];
        const double rise = (column_->watts[i] - column_->watts[i - 1]) / length_s;
        return joules_[i - 1] + into_s * (column_->watts[i - 1] + rise * into_s / 2);
    }

    const MeterColumn* column_;
    std::vector<double> times_s_;     ///< (sample)
    std::vector<double> joules_;      ///< (sample): from the first one on
    std::vector<std::size_t> n_gaps_; ///< (sample): gaps before it
};

std::string span_text(double from_s, double to_s) {
    return utc_text(from_s) + " to " + utc_text(to_s);
}

/// "+02:00"
std::string zone_text(double zone_s) {
    const int minutes = static_cast<int>(std::lround(std::abs(zone_s) / 60));
    return fmt::format("{}{:02}:{:02}", zone_s < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

/// The zone nearest to UTC that the log's times would be of if it covered the run.
std::optional<double> zone_that_fits(const MeterLog& log, double from_s, double to_s) {
    const auto& times = log.columns.front().time_s;
    for (int quarters = 1; quarters <= 4 * 14; ++quarters)
        for (const double shift_s : {900.0 * quarters, -900.0 * quarters})
            if (times.front() - shift_s <= from_s && to_s <= times.back() - shift_s) return shift_s;
    return std::nullopt;
}

[[noreturn]] void refuse(const MeterLog& log, const trace::Trace& trace, double from_s,
                         double to_s) {
    const auto& times = log.columns.front().time_s;
    std::string advice = "; are the clocks of meter and nodes set?";
    if (const auto zone_s = zone_that_fits(log, from_s, to_s))
        advice = log.zone_was_assumed
                     ? fmt::format("; its times have no zone: --power-zone {} would fit",
                                   zone_text(*zone_s))
                     : fmt::format("; times of the zone {} would fit", zone_text(*zone_s));
    throw FormatError(log.path, "", std::nullopt,
                      fmt::format("covers {}, no step of {}, which ran from {}{}",
                                  span_text(times.front(), times.back()), printable(trace.path),
                                  span_text(from_s, to_s), advice));
}

void add_step(PhaseEnergy& energy, double joules, double seconds, std::uint64_t n_tokens) {
    energy.joules += joules;
    energy.seconds += seconds;
    energy.n_tokens += n_tokens;
    ++energy.n_steps;
}

PhaseEnergy& phase_of(NodeEnergy& energy, const trace::StepRow& step) {
    return trace::is_decode(step) ? energy.decode : energy.prompt;
}

void add_phase(PhaseEnergy& energy, const PhaseEnergy& other) {
    energy.joules += other.joules;
    energy.seconds += other.seconds;
    energy.n_tokens += other.n_tokens;
    energy.n_steps += other.n_steps;
    energy.n_steps_in_gaps += other.n_steps_in_gaps;
}

void add_node(NodeEnergy& energy, const NodeEnergy& other) {
    add_phase(energy.prompt, other.prompt);
    add_phase(energy.decode, other.decode);
}

/// One step of a trace, beginning at `from_s` of it.
void add_step(Energy& energy, const std::vector<Integral>& integrals, const MeterLog& log,
              const trace::StepRow& step, double from_s, double seconds) {
    const double to_s = from_s + seconds;
    if (!std::ranges::all_of(integrals,
                             [&](const Integral& one) { return one.covers(from_s, to_s); })) {
        ++phase_of(energy.all, step).n_steps_in_gaps;
        return;
    }
    // What a draft model reads is for the tokens of the step that follows.
    const std::uint64_t n_tokens = step.is_draft != 0       ? 0
                                   : trace::is_decode(step) ? trace::n_picked(step)
                                                            : std::max(step.n_rows, 1u);
    double all_j = 0;
    for (std::size_t k = 0; k < integrals.size(); ++k) {
        const double joules = integrals[k].joules(from_s, to_s);
        if (!log.total || *log.total == k) all_j += joules;
        if (k < energy.nodes.size())
            add_step(phase_of(energy.nodes[k], step), joules, seconds, n_tokens);
    }
    add_step(phase_of(energy.all, step), all_j, seconds, n_tokens);
}

} // namespace

void Energy::add(const Energy& other) {
    add_node(all, other.all);
    for (const NodeEnergy& node : other.nodes) {
        const auto own = std::ranges::find(nodes, node.name, &NodeEnergy::name);
        if (own == nodes.end())
            nodes.push_back(node);
        else
            add_node(*own, node);
    }
}

Energy energy_of(const trace::Trace& trace, const MeterLog& log, bool drop_warm_up) {
    const auto created = read_time_stamp(trace.created);
    if (!created)
        throw FormatError(trace.path, "created", std::nullopt,
                          "is no time, so that no meter's log can be put beside the trace");
    Energy energy;
    if (trace.steps.empty()) return energy;
    std::vector<Integral> integrals;
    for (const MeterColumn& column : log.columns) {
        integrals.emplace_back(column, created->seconds);
        if (log.columns.size() > 1) energy.nodes.push_back({column.name, {}, {}});
    }
    std::size_t n_decode = 0;
    for (std::size_t i = 0; i < trace.n_steps(); ++i) {
        const trace::StepRow& step = trace.steps[i];
        if (trace::is_decode(step) && n_decode == 0) {
            if (step.is_draft == 0) ++n_decode;
            if (drop_warm_up) continue;
        }
        add_step(energy, integrals, log, step, step.t_start_s, trace::step_seconds(trace, i));
    }
    const double from_s = created->seconds + trace.steps.front().t_start_s;
    const double to_s =
        created->seconds + trace.steps.back().t_start_s + trace.steps.back().duration_s;
    if (energy.all.prompt.n_steps + energy.all.decode.n_steps == 0)
        refuse(log, trace, from_s, to_s);
    for (const MeterColumn& column : log.columns) {
        MeterColumn& samples = energy.samples.emplace_back(MeterColumn{column.name, {}, {}});
        for (std::size_t i = 0; i < column.time_s.size(); ++i) {
            if (column.time_s[i] < created->seconds || column.time_s[i] > to_s) continue;
            samples.time_s.push_back(column.time_s[i] - created->seconds);
            samples.watts.push_back(column.watts[i]);
        }
    }
    const std::size_t n_missed =
        energy.all.prompt.n_steps_in_gaps + energy.all.decode.n_steps_in_gaps;
    if (n_missed > 0)
        energy.remarks.push_back(
            fmt::format("{}: {} of {} lie in gaps of {} or outside it; joules are of the others",
                        printable(trace.path), counted(n_missed, "step"), trace.n_steps(),
                        printable(log.path)));
    if (log.zone_was_assumed)
        energy.remarks.push_back(
            fmt::format("{}: its times have no zone and were taken for UTC (--power-zone tells "
                        "another)",
                        printable(log.path)));
    return energy;
}

} // namespace pillar::metering
