#pragma once
// A feed-forward block that is a few of many: each row goes through the experts that the router
// chose for it, and their results are added up with the router's weights. Every rank has a part of
// every expert, so every rank works on every row; the router is whole on each, and all choose
// alike.

#include "workspace.hpp"

namespace pillar::forward {

/// For measurements: what route() leaves, of rows that choose at random.
void route_at_random(Workspace& ws, MicroBatch& batch) noexcept;

/// The router's scores, the experts of each row, and the rows of each expert side by side in
/// ws.experts; ends with a barrier.
void route(Workspace& ws, threads::Worker worker, std::size_t layer, MicroBatch& batch) noexcept;

/// Gate and up of the chosen experts, then activation(gate) · up as int8 blocks in
/// ws.experts.hidden: this thread's share of all experts' units of 32 hidden columns. Rows that
/// chose the same expert share one pass over its weights.
void project_experts(Workspace& ws, threads::Worker worker, std::size_t layer) noexcept;

/// Into ws.sums: what the matrices of the chosen experts are multiplied with.
void sum_expert_activations(Workspace& ws, threads::Worker worker, std::size_t layer,
                            const MicroBatch& batch) noexcept;

/// This rank's share of the block's sum: down of the chosen experts, this thread's rows of all of
/// them.
void add_up_experts(Workspace& ws, threads::Worker worker, std::size_t layer,
                    const MicroBatch& batch) noexcept;

/// What follows the block's sum over all ranks, for a row of the micro-batch: the biases of its
/// experts' down, weighted as the router said, in order of the experts. Where there are any.
void add_expert_biases(Workspace& ws, std::size_t layer, const MicroBatch& batch,
                       std::size_t row) noexcept;

} // namespace pillar::forward
