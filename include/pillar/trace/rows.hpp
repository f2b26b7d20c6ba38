#pragma once
// Rows of a trace's tables, as they are written and read back. src/trace/fields.cpp says
// which of their members are columns.

#include "pillar/engine/step.hpp"

#include <cstdint>
#include <limits>

namespace pillar::trace {

using engine::Phase;

inline constexpr double missing_number = std::numeric_limits<double>::quiet_NaN();

/// A row of /steps: what rank 0 knows of a step.
struct StepRow : engine::StepCounts {
    double t_start_s = 0;  ///< on rank 0's clock, since the trace began
    double duration_s = 0; ///< on rank 0
    std::uint32_t request_bytes = 0;
    std::uint32_t reply_bytes = 0; ///< of the rank with the longest one
    double propose_s = 0;          ///< before the step, on rank 0
    double sample_s = 0;           ///< after it
    double trace_s = 0;            ///< what tracing took after the step on rank 0
    std::uint64_t trace_bytes = 0; ///< and all ranks sent for it
};

/// Seconds; NaN where the record is missing, waits also where ranks disagree about what their
/// collectives were.
struct RankTimes {
    double compute_s = 0;
    double wait_s = 0;
    double wire_s = 0;
    double idle_s = 0;
    double wait_uncertainty_s =
        0; ///< wait_s may be off by this because clocks are; wire_s then by the opposite
    // Parts of compute_s; NaN: the step had no layers.
    double embed_s = missing_number;
    double output_s = missing_number;
};

/// A cell of /ranks: a step on one rank. Of the counts those that are a rank's own.
struct RankRow : RankTimes, engine::StepCounts {
    std::uint8_t wait_resolved = 0; ///< 1: wait_s is above its uncertainty
    std::uint64_t bytes_sent = 0;
    std::uint64_t messages_sent = 0;
};

/// A row of /layers: one layer of one step on one rank.
struct LayerRow {
    std::uint64_t step = 0;
    std::uint32_t rank = 0;
    std::uint32_t layer = 0;
    double t_start_s = 0; ///< on rank 0's clock, since the trace began
    double attention_s = 0;
    double attention_wait_s = 0; ///< of the all-reduce after it, as the next one
    double attention_wire_s = 0;
    double feed_forward_s = 0;
    double feed_forward_wait_s = 0;
    double feed_forward_wire_s = 0;
};

/// A row of /telemetry: what a rank's machine told at one moment. NaN: it does not tell.
struct TelemetryRow {
    double t_s = 0; ///< on rank 0's clock, since the trace began
    std::uint32_t rank = 0;
    std::uint32_t throttled = 0;
    double clock_hz = missing_number;
    double temperature_c = missing_number;
    double supply_v = missing_number;
    double power_w = missing_number;
    std::uint64_t resident_bytes = 0;
};

/// What a rank has of the model, and what a step costs it: columns of /hosts. Zeros: not recorded.
struct RankShare {
    double split_share = missing_number;       ///< only ratios count; NaN: the split was even
    double split_bytes_per_s = missing_number; ///< NaN: not measured
    std::uint64_t layer_bytes = 0;
    std::uint64_t heads_bytes = 0;
    std::uint64_t output_bytes = 0;
    std::uint64_t expert_bytes = 0;
    std::uint64_t n_experts = 0;
    std::uint64_t n_experts_used = 0;
    std::uint64_t layer_macs = 0;
    std::uint64_t output_macs = 0;
    std::uint64_t kv_bytes = 0;
    std::uint64_t n_heads = 0;
};

} // namespace pillar::trace
