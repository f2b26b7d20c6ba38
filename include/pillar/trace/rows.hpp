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
};

/// A cell of /ranks: a step on one rank. Of the counts those that are a rank's own.
struct RankRow : RankTimes, engine::StepCounts {
    std::uint8_t wait_resolved = 0; ///< 1: wait_s is above its uncertainty
    std::uint64_t bytes_sent = 0;
    std::uint64_t messages_sent = 0;
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
