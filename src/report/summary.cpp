// Sums over the steps of traces.

#include "pillar/report/summary.hpp"

#include "observed.hpp"
#include "recorded.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/core/median.hpp"
#include "pillar/trace/step_seconds.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/core.h>
#include <set>

namespace pillar::report {

namespace {

using trace::is_decode;
using trace::n_picked;

void add_step(std::vector<RankTotals>& ranks, const trace::Trace& trace, std::size_t i) {
    for (std::size_t rank = 0; rank < trace.n_ranks(); ++rank) {
        const trace::RankRow& row = trace.at(i, rank);
        RankTotals& sums = ranks[rank];
        sums.bytes_sent += row.bytes_sent;
        sums.messages_sent += row.messages_sent;
        if (!std::isfinite(row.wait_s)) continue;
        sums.compute_s += row.compute_s;
        sums.wait_s += row.wait_s;
        sums.wire_s += row.wire_s;
        sums.wait_uncertainty_s += row.wait_uncertainty_s;
    }
}

void remark(Totals& totals, const trace::Trace& trace) {
    const std::string name = printable(trace.path);
    if (!trace.is_complete) {
        totals.remarks.push_back(name + " is incomplete: the run did not end, or lost steps");
    }
    totals.emulated_network = printable(trace.config.text<"emulate_network">());
    if (!totals.emulated_network.empty()) {
        totals.remarks.push_back(
            fmt::format("{}: the network was emulated with --emulate-network {} (latency in "
                        "microseconds, nanoseconds a byte)",
                        name, totals.emulated_network));
    }
    if (!trace.split_shares().empty()) {
        totals.remarks.push_back(fmt::format("{}: the ranks' shares of the model were {} (--split "
                                             "{})",
                                             name, shares_text(trace),
                                             printable(trace.config.text<"split">())));
    }
    for (const std::string& key : trace.unknown_keys) {
        totals.remarks.push_back(
            fmt::format("{}: a newer pillar has recorded {} in /config; traces that differ in it "
                        "are not told apart here",
                        name, printable(key)));
    }
    std::set<std::string> told;
    for (const trace::Trace::Host& host : trace.hosts)
        if (host.was_disturbed() && told.insert(host.hostname).second)
            totals.remarks.push_back(
                fmt::format("{}: other programs kept {:.1f} of {}'s {} CPUs busy: without them it "
                            "would have been faster",
                            name, host.other_cpus, printable(host.hostname), host.n_cores));
    for (std::string& sentence : throttling_of(trace))
        totals.remarks.push_back(std::move(sentence));
}

void add_medians(Totals& totals) {
    if (!totals.seconds_per_token.empty()) totals.run_medians = {median(totals.seconds_per_token)};
    if (!totals.seconds_per_prompt_token.empty())
        totals.prompt_run_medians = {median(totals.seconds_per_prompt_token)};
}

} // namespace

Totals totals_of(const trace::Trace& trace, const metering::MeterLog* meter) {
    Totals totals;
    totals.paths = {trace.path};
    totals.ranks.resize(trace.n_ranks());
    for (std::size_t rank = 0; rank < trace.n_ranks(); ++rank) {
        totals.ranks[rank].host = trace.hosts[rank].hostname;
    }
    totals.prompt_ranks = totals.ranks;
    totals.n_slowest.resize(trace.n_ranks());
    const auto n_decode = std::ranges::count_if(trace.steps, is_decode);
    bool is_first = n_decode > 1; // a single step cannot be spared
    double drafting_s = 0;        // the step at hand, and the draft model's before it
    for (std::size_t i = 0; i < trace.n_steps(); ++i) {
        const trace::StepRow& step = trace.steps[i];
        const double seconds = trace::step_seconds(trace, i);
        if (!is_decode(step)) {
            totals.n_prompt_tokens += step.n_rows;
            totals.prompt_s += seconds;
            totals.seconds_per_prompt_token.push_back(seconds / std::max(step.n_rows, 1u));
            add_step(totals.prompt_ranks, trace, i);
        } else if (is_first) {
            is_first = step.is_draft != 0;
            ++totals.n_warm_up_steps;
        } else {
            drafting_s += seconds;
            totals.decode_s += seconds;
            totals.decode_duration_s += step.duration_s;
            add_step(totals.ranks, trace, i);
            if (step.is_draft != 0) continue;
            totals.cached_positions += static_cast<double>(step.n_cached);
            if (const auto slowest = slowest_in(trace, i)) ++totals.n_slowest[*slowest];
            const std::uint32_t n_tokens = n_picked(step);
            totals.seconds_per_token.push_back(drafting_s / n_tokens);
            totals.n_decode_tokens += n_tokens;
            totals.n_proposed += step.n_proposed;
            totals.n_accepted += step.n_accepted;
            totals.n_drafted_rows += step.n_rows - step.n_proposed;
            drafting_s = 0;
        }
    }
    if (!totals.seconds_per_token.empty())
        totals.cached_positions /= static_cast<double>(totals.seconds_per_token.size());
    add_medians(totals);
    observe(totals, trace);
    remark(totals, trace);
    if (meter != nullptr) {
        totals.energy = metering::energy_of(trace, *meter, totals.n_warm_up_steps > 0);
        totals.remarks.insert(totals.remarks.end(), totals.energy->remarks.begin(),
                              totals.energy->remarks.end());
        for (const metering::MeterColumn& one : totals.energy->samples)
            totals.series.push_back({Series::Kind::watts, one.name, one.time_s, one.watts});
    }
    return totals;
}

void add(Totals& totals, const Totals& other) {
    expects(totals.ranks.size() == other.ranks.size(),
            "runs of one configuration have equal ranks");
    const auto append = [](auto& all, const auto& more) {
        all.insert(all.end(), more.begin(), more.end());
    };
    const auto n = static_cast<double>(totals.seconds_per_token.size());
    const auto m = static_cast<double>(other.seconds_per_token.size());
    if (n + m > 0)
        totals.cached_positions =
            (n * totals.cached_positions + m * other.cached_positions) / (n + m);
    append(totals.paths, other.paths);
    append(totals.seconds_per_token, other.seconds_per_token);
    append(totals.run_medians, other.run_medians);
    append(totals.seconds_per_prompt_token, other.seconds_per_prompt_token);
    append(totals.prompt_run_medians, other.prompt_run_medians);
    append(totals.remarks, other.remarks);
    add_observed(totals, other);
    totals.n_prompt_tokens += other.n_prompt_tokens;
    totals.n_decode_tokens += other.n_decode_tokens;
    totals.prompt_s += other.prompt_s;
    totals.decode_s += other.decode_s;
    totals.decode_duration_s += other.decode_duration_s;
    totals.n_warm_up_steps += other.n_warm_up_steps;
    totals.n_proposed += other.n_proposed;
    totals.n_accepted += other.n_accepted;
    totals.n_drafted_rows += other.n_drafted_rows;
    add_ranks(totals.ranks, other.ranks);
    add_ranks(totals.prompt_ranks, other.prompt_ranks);
}

void add_ranks(std::vector<RankTotals>& ranks, const std::vector<RankTotals>& others) {
    for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
        RankTotals& sums = ranks[rank];
        const RankTotals& more = others[rank];
        if (sums.host != more.host) sums.host += ", " + more.host;
        sums.compute_s += more.compute_s;
        sums.wait_s += more.wait_s;
        sums.wire_s += more.wire_s;
        sums.wait_uncertainty_s += more.wait_uncertainty_s;
        sums.bytes_sent += more.bytes_sent;
        sums.messages_sent += more.messages_sent;
    }
}

Shares shares_of(const std::vector<RankTotals>& ranks) {
    Shares shares;
    double all_s = 0;
    for (const RankTotals& rank : ranks) {
        shares.compute += rank.compute_s;
        shares.wait += rank.wait_s;
        shares.wire += rank.wire_s;
        shares.wait_uncertainty += rank.wait_uncertainty_s;
        all_s += rank.step_s();
    }
    if (all_s <= 0) return {};
    return {shares.compute / all_s, shares.wait / all_s, shares.wire / all_s,
            shares.wait_uncertainty / all_s};
}

std::size_t slowest_rank(const std::vector<RankTotals>& ranks) {
    const auto slowest = std::ranges::max_element(ranks, {}, &RankTotals::compute_s);
    return static_cast<std::size_t>(slowest - ranks.begin());
}

std::optional<perf::MedianInterval> seconds_per_token(const Totals& totals) {
    if (totals.seconds_per_token.empty()) return std::nullopt;
    return perf::median_interval(totals.seconds_per_token);
}

std::optional<perf::MedianInterval> seconds_per_prompt_token(const Totals& totals) {
    if (totals.seconds_per_prompt_token.empty()) return std::nullopt;
    return perf::median_interval(totals.seconds_per_prompt_token);
}

namespace {

std::optional<double> ratio(double above, double below) {
    if (below <= 0) return std::nullopt;
    return above / below;
}

} // namespace

std::optional<double> prompt_tokens_per_s(const Totals& totals) {
    return ratio(static_cast<double>(totals.n_prompt_tokens), totals.prompt_s);
}

std::optional<double> decode_tokens_per_s(const Totals& totals) {
    return ratio(static_cast<double>(totals.n_decode_tokens), totals.decode_s);
}

std::optional<double> median_tokens_per_s(const Totals& totals) {
    const auto time = seconds_per_token(totals);
    return time ? ratio(1, time->median) : std::nullopt;
}

std::optional<double> outside_share(const Totals& totals) {
    return ratio(totals.decode_s - totals.decode_duration_s, totals.decode_s);
}

std::optional<double> tokens_per_step(const Totals& totals) {
    if (totals.n_proposed == 0) return std::nullopt;
    return ratio(static_cast<double>(totals.n_drafted_rows + totals.n_accepted),
                 static_cast<double>(totals.n_drafted_rows));
}

std::optional<double> megabytes_per_token(const Totals& totals) {
    double bytes = 0;
    for (const RankTotals& rank : totals.ranks) bytes += static_cast<double>(rank.bytes_sent);
    return ratio(bytes / 1e6, static_cast<double>(totals.n_decode_tokens * totals.ranks.size()));
}

} // namespace pillar::report
