#pragma once
// What one rank remembers of one step: when it began and ended, and for each collective when this
// rank arrived and when it could go on. compute = step − Σ(end − begin); waiting and wire are told
// apart later, when the arrivals of all ranks are known (trace/). Filled by comm and engine, read
// by trace; storage is reserved once.

#include <cstdint>
#include <vector>

namespace pillar {

enum class CollectiveKind : std::uint8_t { broadcast, allreduce, gather };

struct CollectiveTiming {
    double begin_s = 0;      ///< this rank arrived (monotonic_s of its host)
    double end_s = 0;        ///< this rank has its result
    std::uint32_t bytes = 0; ///< payload of the collective on this rank
    CollectiveKind kind = CollectiveKind::broadcast;
};

/// Traffic of this rank as pillar counts it: payload bytes of point-to-point messages.
struct Traffic {
    std::uint64_t bytes_sent = 0;
    std::uint64_t messages_sent = 0;
};

struct StepTimeline {
    double begin_s = 0;
    double end_s = 0;
    Traffic traffic;                           ///< of the step's collectives alone
    std::vector<CollectiveTiming> collectives; ///< in program order, the same order on every rank
};

} // namespace pillar
