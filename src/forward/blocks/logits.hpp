#pragma once
// The end of a step.

#include "workspace.hpp"

namespace pillar::forward {

/// Final norm and own rows of the output matrix for the rows that want logits, scaled and capped as
/// the model asks, into buffers.logits.
void output_logits(Workspace& ws, threads::Worker worker, std::span<const Row> rows) noexcept;

} // namespace pillar::forward
