#pragma once
// What a rank finds out about its own node: what the kernel tells, what its threads reach, and who
// else was at work.

#include "facts.hpp"

#include "pillar/core/function_ref.hpp"
#include "pillar/kernels/family.hpp"
#include "pillar/telemetry/processes.hpp"
#include "pillar/threads/team.hpp"

#include <cstdint>
#include <filesystem>

namespace pillar::check {

/// What does not depend on the model or on load.
NodeFacts describe_node(const std::filesystem::path& sys);

/// Rates of this rank's threads, all ranks at once; then what the sensors say of a busy machine. Of
/// the memory that there is for this rank a quarter is taken at most: a full node is to be judged,
/// not to be run out of. Those who are done wait for the others: `heartbeat` tells them that this
/// rank is alive.
void measure_node(NodeFacts& facts, threads::Team& team, const kernels::Family& family,
                  std::uint64_t available, const std::filesystem::path& sys,
                  FunctionRef<void()> heartbeat);

/// The busiest processes of the machine in `seconds` between the two; this one too.
void note_others(NodeFacts& facts, const telemetry::TaskTimes& before,
                 const telemetry::TaskTimes& after, double seconds);

/// Of what was noted, the processes that are ranks of the same machine are no others.
void leave_ranks_out(ClusterFacts& facts);

} // namespace pillar::check
