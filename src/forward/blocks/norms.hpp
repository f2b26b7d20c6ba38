#pragma once
// The residual and its norms.

#include "workspace.hpp"

namespace pillar::forward {

/// normed[column] = rms_norm of the residual of row r of the step, quantised.
void normalise(Workspace& ws, kernels::Activations& normed, std::span<const float> weight,
               std::size_t r, std::size_t column) noexcept;

/// What a block of layer number `layer` starts from, for row r of the micro-batch: batch.normed =
/// norm(x), or x itself.
void norm_before_block(Workspace& ws, std::size_t layer, std::span<const float> weight,
                       MicroBatch& batch, std::size_t r) noexcept;

/// What a block does to its sum before it is added to the residual.
struct BlockEnd {
    std::span<const float> bias; ///< (dim), or empty
    std::span<const float> norm; ///< (dim), or empty
};
/// x += scale · norm(sum + bias) for row r of the micro-batch, whose sum is complete.
void add_residual(Workspace& ws, const BlockEnd& end, const MicroBatch& batch,
                  std::size_t r) noexcept;

/// The first layer's norm of all rows, shared by the team; ends with a barrier. `prepare` is what
/// has to be done before, for rows [begin, end) of the step: by the thread that goes on with them.
void start_layers(Workspace& ws, threads::Worker worker, MicroBatch& batch,
                  FunctionRef<void(Range)> prepare) noexcept;

} // namespace pillar::forward
