#pragma once
// A layer of the transformer, whole or block by block.

#include "workspace.hpp"

namespace pillar::forward {

enum class Block { attention, feed_forward };

/// **Collective.** One layer on every thread of the team: attention block, then feed-forward block,
/// each ended by its all-reduce, which the main thread performs. Starts with the norm of the
/// residual in batch.normed and ends with the next layer's there.
void compute_layer(Workspace& ws, threads::Worker worker, comm::Communicator& comm,
                   std::size_t layer, MicroBatch& batch) noexcept;

/// One block up to this rank's share of its sum (Workspace::partial_of); without a barrier at the
/// end.
void compute_block(Workspace& ws, threads::Worker worker, Block block, std::size_t layer,
                   MicroBatch& batch) noexcept;

/// What follows a block's sum, for rows [begin, end) of the micro-batch: x += sum + bias, and the
/// norm that comes next (none after the last layer).
void add_sum(Workspace& ws, Block block, std::size_t layer, MicroBatch& batch, Range rows) noexcept;

} // namespace pillar::forward
