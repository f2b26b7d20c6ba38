#pragma once
// The start of a gated feed-forward block.

#include "workspace.hpp"

namespace pillar::forward {

/// gate[i] = activation(gate[i]) · up[i] in a range.
void apply_gate(const kernels::Family& family, model::Activation activation, float* gate,
                const float* up, Range range) noexcept;

/// Gate and up in one pass, then activation(gate + bias) · (up + bias) as int8 blocks in
/// batch.hidden: this thread's units of 32 hidden columns.
void project_gate_and_up(Workspace& ws, threads::Worker worker, std::size_t layer,
                         MicroBatch& batch) noexcept;

} // namespace pillar::forward
