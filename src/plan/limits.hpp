#pragma once
// What a token's time goes to, and which of it is the most: what the next euro should change.

#include "pillar/perf/cluster.hpp"
#include "pillar/perf/step_model.hpp"

#include <string_view>

namespace pillar::plan {

enum class Limit { memory, arithmetic, imbalance, latency, bytes };
std::string_view name_of(Limit limit) noexcept;

/// Seconds of one step.
struct Limits {
    double memory_s = 0;     ///< reading weights and cache, as the mean rank does
    double arithmetic_s = 0; ///< multiplying, where that takes longer
    double imbalance_s = 0;  ///< what the slowest rank computes longer than the mean
    double latency_s = 0;    ///< messages however short, and barriers
    double bytes_s = 0;      ///< what is sent, and adding it
    [[nodiscard]] Limit binding() const noexcept;
};

/// `time`: of the same step on the same nodes.
Limits limits_of(const perf::Cluster& cluster, const perf::StepWork& work,
                 const perf::StepTime& time);

} // namespace pillar::plan
