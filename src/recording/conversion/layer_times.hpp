#pragma once
// A step's layers on one rank, from the gaps between its all-reduces: what a rank does between two
// of them is a block of a layer. Nothing more is recorded for it.

#include "step_times.hpp"

#include "pillar/trace/rows.hpp"

#include <span>
#include <vector>

namespace pillar::recording {

/// Of one rank, one row a layer, in order; none where the step's collectives are not those of
/// `n_layers` layers. `step_s`: its begin on rank 0's clock since the trace began.
///
/// Of a step in two micro-batches, whose blocks and sums take turns, a row has both halves' blocks
/// and sums, and begins after the parts of the layers before: the parts still add up to the step.
[[nodiscard]] std::vector<trace::LayerRow> layers_of(const RankStep& step,
                                                     std::span<const StepDivider::Part> parts,
                                                     std::size_t n_layers, double step_s);

} // namespace pillar::recording
