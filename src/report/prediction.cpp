#include "pillar/report/prediction.hpp"
#include "pillar/trace/step_seconds.hpp"

#include "recorded.hpp"

#include "pillar/core/errors.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/core.h>
#include <set>
#include <span>
#include <utility>

namespace pillar::report {

namespace {

trace::Phase phase_of(const trace::StepRow& step) {
    return step.phase;
}

/// A step reads at least the position of its own row.
bool has_counts(const trace::Trace& trace) {
    return std::ranges::all_of(trace.steps, [](const trace::StepRow& step) {
        return step.n_cached > 0 || step.n_rows == 0;
    });
}

bool is_whole(const trace::Trace& trace, std::size_t i) {
    const auto ranks = std::span(trace.ranks).subspan(i * trace.n_ranks(), trace.n_ranks());
    return std::ranges::all_of(
        ranks, [](const trace::RankRow& rank) { return std::isfinite(rank.compute_s); });
}

perf::StepWork work_of(const trace::StepRow& step, const perf::RunShape& shape) {
    perf::StepWork work =
        step_work(shape, {step.n_rows, step.n_logits, step.n_attended, step.n_cached});
    work.request_bytes = step.request_bytes;
    work.reply_bytes = step.reply_bytes;
    return work;
}

void add_step(Comparison& sums, const trace::Trace& trace, std::size_t i,
              const perf::StepWork& work, const perf::StepTime& time) {
    ++sums.n_steps;
    sums.step_s += trace.steps[i].duration_s;
    sums.compute_s.resize(trace.n_ranks());
    for (std::size_t rank = 0; rank < trace.n_ranks(); ++rank) {
        const trace::RankRow& row = trace.at(i, rank);
        sums.compute_s[rank] += row.compute_s;
        sums.counted += Traffic{row.bytes_sent, row.messages_sent};
    }
    sums.predicted += time;
    sums.predicted_traffic += step_traffic(work);
}

void add(Comparison& sums, const Comparison& more) {
    sums.n_steps += more.n_steps;
    sums.step_s += more.step_s;
    sums.compute_s.resize(std::max(sums.compute_s.size(), more.compute_s.size()));
    for (std::size_t rank = 0; rank < more.compute_s.size(); ++rank)
        sums.compute_s[rank] += more.compute_s[rank];
    sums.counted += more.counted;
    sums.predicted += more.predicted;
    sums.predicted_traffic += more.predicted_traffic;
}

/// What the model leaves out or the profile does not describe.
void remark_on_limits(std::vector<std::string>& remarks, const trace::Trace& trace,
                      const perf::MachineProfile& profile) {
    const auto remark = [&](const std::string& sentence) {
        remarks.push_back(fmt::format("{}: {}", printable(trace.path), sentence));
    };
    std::set<std::string> hosts;
    for (const auto& host : trace.hosts) hosts.insert(host.hostname);
    if (hosts.size() < trace.n_ranks())
        remark(
            fmt::format("ranks shared nodes, {} on {}; the prediction gives every rank a node of "
                        "its own",
                        trace.n_ranks(), hosts.size()));
    const auto other_threads = std::ranges::find_if(trace.hosts, [&](const auto& host) {
        return static_cast<double>(host.n_threads) != profile.n_threads;
    });
    if (other_threads != trace.hosts.end())
        remark(fmt::format("threads of a rank: {}, of the profile: {}", other_threads->n_threads,
                           profile.n_threads));
    if (!trace.split_shares().empty())
        remark("the split was uneven; the prediction takes every node for the profile's, the one "
               "with the largest share holds up the others");
    if (!trace.config.text<"emulate_network">().empty())
        remark("the network was emulated; the prediction has the profile's");
    if (trace.config.text<"allreduce">() == "mpi")
        remark("what Open MPI's all-reduce sends is not known; it is counted and predicted as "
               "recursive doubling");
    if (trace.config.text<"kernels">() == "reference")
        remark("the reference kernels multiply floats; the prediction has the time of reading the "
               "weights alone");
}

} // namespace

double Comparison::computing_s() const noexcept {
    return compute_s.empty() ? 0 : *std::ranges::max_element(compute_s);
}

double Comparison::predicted_computing_s() const noexcept {
    return predicted.matrices_s + predicted.attention_s + predicted.barriers_s;
}

double Comparison::predicted_messages_s() const noexcept {
    return predicted.total() - predicted_computing_s();
}

bool Comparison::counts_agree() const noexcept {
    return counted.bytes_sent == predicted_traffic.bytes_sent &&
           counted.messages_sent == predicted_traffic.messages_sent;
}

void add(Prediction& prediction, const Prediction& other) {
    add(prediction.decode, other.decode);
    add(prediction.prompt, other.prompt);
    prediction.seconds_per_token.insert(prediction.seconds_per_token.end(),
                                        other.seconds_per_token.begin(),
                                        other.seconds_per_token.end());
}

std::optional<Prediction> predict(const trace::Trace& trace, const perf::MachineProfile& profile,
                                  std::vector<std::string>& remarks) {
    const auto shape = recorded_shape(trace);
    if (!shape || !has_counts(trace)) {
        remarks.push_back(printable(trace.path) +
                          ": no prediction: the trace has not recorded what its steps cost; this "
                          "pillar records it");
        return std::nullopt;
    }
    Prediction prediction;
    prediction.profile = profile.name;
    const bool has_drafts = std::ranges::any_of(
        trace.steps, [](const trace::StepRow& step) { return step.is_draft != 0; });
    if (has_drafts)
        remarks.push_back(printable(trace.path) +
                          ": the model's own steps are predicted, not those of the draft model, "
                          "of which the trace does not tell what they cost");
    bool is_first = std::ranges::count(trace.steps, trace::Phase::decode, phase_of) > 1;
    for (std::size_t i = 0; i < trace.n_steps(); ++i) {
        const trace::StepRow& step = trace.steps[i];
        if (step.is_draft != 0) continue;
        const bool is_decode = step.phase == trace::Phase::decode;
        const bool is_warm_up = is_decode && std::exchange(is_first, false);
        if (is_warm_up || step.n_rows == 0 || !is_whole(trace, i)) continue;
        const perf::StepWork work = work_of(step, *shape);
        const perf::StepTime time = step_time(profile, work);
        add_step(is_decode ? prediction.decode : prediction.prompt, trace, i, work, time);
        if (is_decode && !has_drafts)
            prediction.seconds_per_token.push_back(time.total() / trace::n_picked(step));
    }
    remark_on_limits(remarks, trace, profile);
    return prediction;
}

} // namespace pillar::report
