#pragma once
// Traces in memory with round numbers.

#include "pillar/trace/reader.hpp"

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
    trace.config = {{"model", plan.model}, {"quantisation", std::string("q4_0")}};
    for (std::uint32_t rank = 0; rank < plan.n_ranks; ++rank) {
        trace.hosts.push_back({"pi" + std::to_string(rank + 1), "board", plan.n_threads, 0, 0.001});
    }
    double now_s = 0;
    for (std::size_t i = 0; i <= plan.n_decode; ++i) {
        const double duration_s = i == 0 ? 1.0 : (i == 1 ? 3 : 1) * plan.duration_s;
        trace.step.push_back(i);
        trace.t_start_s.push_back(now_s);
        trace.duration_s.push_back(duration_s);
        trace.trace_s.push_back(plan.trace_s);
        trace.trace_bytes.push_back(0);
        trace.phase.push_back(i == 0 ? trace::Trace::prefill : trace::Trace::decode);
        trace.n_rows.push_back(i == 0 ? 8 : 1);
        trace.n_logits.push_back(1);
        now_s += duration_s + plan.outside_s + plan.trace_s;
        for (std::uint32_t rank = 0; rank < plan.n_ranks; ++rank) {
            const double slower = rank == 1 ? 1.25 : 1; // rank 1 computes longest
            const double compute_s = duration_s * plan.compute_share * slower;
            const double wait_s = duration_s * plan.wait_share;
            trace.compute_s.push_back(compute_s);
            trace.wait_s.push_back(wait_s);
            trace.wire_s.push_back(duration_s - compute_s - wait_s);
            trace.wait_uncertainty_s.push_back(plan.wait_uncertainty_s);
            trace.bytes_sent.push_back(plan.bytes_sent);
            trace.messages_sent.push_back(7);
        }
    }
    return trace;
}

} // namespace pillar::report
