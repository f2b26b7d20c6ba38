#pragma once
// The layers of a step in two micro-batches.

#include "workspace.hpp"

namespace pillar::forward {

/// **Collective.** All layers of a step whose rows are in both micro-batches of the workspace:
/// while one's sum is under way the other is computed. The same operations for every row as one
/// layer after the other.
void compute_micro_batches(Workspace& ws, threads::Worker worker,
                           comm::Communicator& comm) noexcept;

} // namespace pillar::forward
