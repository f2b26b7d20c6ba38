#pragma once
// Traces in memory with round numbers.

#include "pillar/trace/reader.hpp"

#include <algorithm>
#include <cstdint>
#include <string>

namespace pillar::report {

struct Plan {
    std::string path = "a.h5";
    std::string model = "tiny";
    std::uint32_t n_ranks = 1;
    std::uint32_t n_threads = 4;
    std::size_t n_decode = 10;
    double duration_s = 0.25; ///< of a decode step
    double outside_s = 0;     ///< between two decode steps
    double trace_s = 0;       ///< more between two decode steps: tracing
    double compute_share = 0.5, wait_share = 0.25;
    double wait_uncertainty_s = 0;
    std::uint64_t bytes_sent = 1000; ///< a rank and step
};

/// One prefill step of 8 rows in a second, a first decode step that is three times as slow, then
/// equal ones.
inline trace::Trace planted(const Plan& plan) {
    trace::Trace trace;
    trace.path = plan.path;
    trace.is_complete = true;
    trace.config.set<"model">(plan.model);
    trace.config.set<"quantisation">("q4_0");
    for (std::uint32_t rank = 0; rank < plan.n_ranks; ++rank) {
        trace.hosts.push_back({"pi" + std::to_string(rank + 1), "board", plan.n_threads, 0, 0.001});
    }
    double now_s = 0;
    for (std::size_t i = 0; i <= plan.n_decode; ++i) {
        const double duration_s = i == 0 ? 1.0 : (i == 1 ? 3 : 1) * plan.duration_s;
        trace::StepRow step;
        step.step = i;
        step.t_start_s = now_s;
        step.duration_s = duration_s;
        step.trace_s = plan.trace_s;
        step.phase = i == 0 ? trace::Phase::prefill : trace::Phase::decode;
        step.n_rows = i == 0 ? 8 : 1;
        step.n_logits = 1;
        trace.steps.push_back(step);
        now_s += duration_s + plan.outside_s + plan.trace_s;
        for (std::uint32_t rank = 0; rank < plan.n_ranks; ++rank) {
            const double slower = rank == 1 ? 1.25 : 1; // rank 1 computes longest
            const double compute_s = duration_s * plan.compute_share * slower;
            const double wait_s = duration_s * plan.wait_share;
            trace::RankRow row;
            row.compute_s = compute_s;
            row.wait_s = wait_s;
            row.wire_s = duration_s - compute_s - wait_s;
            row.wait_uncertainty_s = plan.wait_uncertainty_s;
            row.bytes_sent = plan.bytes_sent;
            row.messages_sent = 7;
            trace.ranks.push_back(row);
        }
    }
    return trace;
}

/// Without the blanks that align a table's columns.
inline std::string squeezed(std::string text) {
    const auto are_blanks = [](char a, char b) { return a == ' ' && b == ' '; };
    text.erase(std::unique(text.begin(), text.end(), are_blanks), text.end());
    return text;
}

} // namespace pillar::report
