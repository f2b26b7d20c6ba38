// Grouping traces into tables and rows, then speed-ups.

#include "pillar/report/scaling_table.hpp"

#include "recorded.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/core.h>
#include <set>
#include <tuple>

namespace pillar::report {

namespace {

/// n_sequences: pillars that knew one sequence only did not say so.
std::string value_of(const Option& option) {
    return option.value.empty() && option.name == "n_sequences" ? "1" : option.value;
}

std::string model_of(const trace::Trace& trace) {
    const std::string model = trace.config.text<"model">();
    const std::string quantisation = trace.config.text<"quantisation">();
    if (model.empty()) return "model not named";
    return quantisation.empty() ? model : model + " " + quantisation;
}

/// Two models may share a name.
std::string identity_of(const trace::Trace& trace) {
    return model_of(trace) + '\n' + trace.config.text<"model_hash">();
}

std::string threads_of(const trace::Trace& trace) {
    const auto [least, most] = std::ranges::minmax(trace.hosts, {}, &trace::Trace::Host::n_threads);
    if (least.n_threads == most.n_threads) return fmt::format("{}", least.n_threads);
    return fmt::format("{}-{}", least.n_threads, most.n_threads);
}

/// Places of the options in which these traces differ.
std::vector<std::size_t> differing_options(const std::vector<const trace::Trace*>& traces) {
    std::vector<std::set<std::string>> values;
    for (const trace::Trace* trace : traces) {
        const std::vector<Option> options = options_of(*trace);
        values.resize(options.size());
        for (std::size_t i = 0; i < options.size(); ++i) values[i].insert(value_of(options[i]));
    }
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < values.size(); ++i)
        if (values[i].size() > 1) places.push_back(i);
    return places;
}

std::string variant_of(const trace::Trace& trace, const std::vector<std::size_t>& places) {
    const std::vector<Option> options = options_of(trace);
    std::string variant;
    for (const std::size_t place : places) {
        const std::string value = value_of(options[place]);
        variant += fmt::format("{}{}={}", variant.empty() ? "" : " ", options[place].name,
                               value.empty() ? "?" : value);
    }
    return variant;
}

/// Shorter numbers of threads first: 2 before 10.
auto order_of(const ScalingRow& row) {
    return std::tuple(row.variant, row.n_ranks, row.threads.size(), row.threads);
}

/// Of a rank; nothing where ranks differ.
std::optional<int> n_threads(const ScalingRow& row) {
    int n = 0;
    const char* end = row.threads.data() + row.threads.size();
    const auto [last, error] = std::from_chars(row.threads.data(), end, n);
    if (error != std::errc() || last != end || n < 1) return std::nullopt;
    return n;
}

/// The fewest threads on as many ranks, in the same variant.
const ScalingRow* thread_base_of(const std::vector<ScalingRow>& rows, const ScalingRow& row) {
    const ScalingRow* base = nullptr;
    for (const ScalingRow& r : rows)
        if (r.variant == row.variant && r.n_ranks == row.n_ranks && n_threads(r) &&
            (base == nullptr || *n_threads(r) < *n_threads(*base)))
            base = &r;
    return base;
}

/// The fewest ranks with as many threads a rank; where there are none but the row itself, the
/// fewest ranks of the variant.
const ScalingRow& base_of(const std::vector<ScalingRow>& rows, const ScalingRow& row) {
    const auto distance = [&](const ScalingRow& r) {
        const bool is_like =
            r.threads == row.threads && (r.n_ranks < row.n_ranks || row.n_ranks == 1);
        return std::tuple(r.variant != row.variant, !is_like, r.n_ranks, r.threads != row.threads);
    };
    return *std::ranges::min_element(rows, {}, distance);
}

/// T(base)·p0 / T(row); nothing where one of them has no decode steps.
std::optional<double> speed_up_of(const ScalingRow& base, int base_size, const ScalingRow& row) {
    const auto base_time = seconds_per_token(base.totals);
    const auto time = seconds_per_token(row.totals);
    if (!base_time || !time) return std::nullopt;
    return perf::speed_up(base_time->median, base_size, time->median);
}

void compare_ranks(const ScalingRow& base, ScalingRow& row) {
    row.base_ranks = base.n_ranks;
    row.base_threads = base.threads;
    row.speed_up = speed_up_of(base, base.n_ranks, row);
    if (!row.speed_up || base.threads != row.threads) return;
    row.efficiency = perf::efficiency(*row.speed_up, row.n_ranks);
    row.karp_flatt = perf::karp_flatt(*row.speed_up, base.n_ranks, row.n_ranks);
}

void compare_threads(const ScalingRow& base, ScalingRow& row) {
    const int t0 = *n_threads(base);
    row.base_ranks = base.n_ranks;
    row.base_threads = base.threads;
    row.over_threads = true;
    row.speed_up = speed_up_of(base, t0, row);
    if (!row.speed_up) return;
    row.efficiency = perf::efficiency(*row.speed_up, *n_threads(row));
    row.karp_flatt = perf::karp_flatt(*row.speed_up, t0, *n_threads(row));
}

/// Do the rows of this one's variant differ in threads alone?
bool is_of_threads(const std::vector<ScalingRow>& rows, const ScalingRow& row) {
    return std::ranges::all_of(rows, [&](const ScalingRow& r) {
        return r.variant != row.variant || (r.n_ranks == row.n_ranks && n_threads(r));
    });
}

void compare(std::vector<ScalingRow>& rows) {
    if (rows.size() < 2) return; // nothing to compare with
    for (ScalingRow& row : rows) {
        const ScalingRow* thread_base = thread_base_of(rows, row);
        const bool has_threads = std::ranges::any_of(rows, [&](const ScalingRow& r) {
            return r.variant == row.variant && r.n_ranks == row.n_ranks &&
                   r.threads != row.threads && n_threads(r);
        });
        if (has_threads && is_of_threads(rows, row)) {
            compare_threads(*thread_base, row);
            continue;
        }
        compare_ranks(base_of(rows, row), row);
        if (has_threads && n_threads(row))
            row.thread_speed_up = speed_up_of(*thread_base, *n_threads(*thread_base), row);
    }
}

ScalingRow row_of(const trace::Trace& trace, const std::vector<std::size_t>& options,
                  const perf::MachineProfile* profile, const metering::MeterLog* meter) {
    ScalingRow row;
    row.n_ranks = static_cast<int>(trace.n_ranks());
    row.threads = threads_of(trace);
    row.variant = variant_of(trace, options);
    for (const Option& option : options_of(trace))
        row.options.push_back({option.name, value_of(option)});
    row.totals = totals_of(trace, meter);
    if (profile != nullptr) row.prediction = predict(trace, *profile, row.totals.remarks);
    return row;
}

/// Another run of the same configuration.
void add(ScalingRow& row, const ScalingRow& other) {
    add(row.totals, other.totals);
    if (!row.prediction) {
        row.prediction = other.prediction;
    } else if (other.prediction) {
        add(*row.prediction, *other.prediction);
    }
}

ScalingTable table_of(const std::vector<const trace::Trace*>& traces,
                      const perf::MachineProfile* profile, const metering::MeterLog* meter) {
    ScalingTable table{.model = model_of(*traces.front()), .rows = {}};
    const auto options = differing_options(traces);
    for (const trace::Trace* trace : traces) {
        ScalingRow row = row_of(*trace, options, profile, meter);
        const auto same = std::ranges::find_if(
            table.rows, [&](const ScalingRow& r) { return order_of(r) == order_of(row); });
        if (same != table.rows.end()) {
            add(*same, row);
        } else {
            table.rows.push_back(std::move(row));
        }
    }
    for (ScalingRow& row : table.rows)
        if (row.prediction && !row.prediction->seconds_per_token.empty())
            row.predicted_s_per_token =
                perf::median_interval(row.prediction->seconds_per_token).median;
    std::ranges::sort(table.rows, [](const ScalingRow& a, const ScalingRow& b) {
        return order_of(a) < order_of(b);
    });
    compare(table.rows);
    return table;
}

} // namespace

std::vector<ScalingTable> scaling_tables(std::span<const trace::Trace> traces,
                                         const perf::MachineProfile* profile,
                                         const metering::MeterLog* meter) {
    std::vector<std::vector<const trace::Trace*>> groups;
    for (const trace::Trace& trace : traces) {
        const auto group = std::ranges::find_if(
            groups, [&](const auto& g) { return identity_of(*g.front()) == identity_of(trace); });
        if (group == groups.end()) {
            groups.push_back({&trace});
        } else {
            group->push_back(&trace);
        }
    }
    std::vector<ScalingTable> tables;
    tables.reserve(groups.size());
    for (const auto& group : groups) tables.push_back(table_of(group, profile, meter));
    return tables;
}

} // namespace pillar::report
