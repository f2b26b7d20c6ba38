#pragma once
// A layer of the transformer, whole or block by block.

#include "workspace.hpp"

namespace pillar::forward {

/// Parts of a layer that end with a sum over the ranks. Of joint_norm it is the squares of queries
/// and keys, without whose norm the attention block cannot go on.
enum class Block { joint_norm, attention, feed_forward };
std::span<const Block> blocks_of(const model::LayerSpec& layer) noexcept;

/// **Collective.** One layer on every thread of the team: attention block, then feed-forward block,
/// each ended by its all-reduce, which the main thread performs. Starts with the norm of the
/// residual in batch.normed and ends with the next layer's there.
void compute_layer(Workspace& ws, threads::Worker worker, comm::Communicator& comm,
                   std::size_t layer, MicroBatch& batch) noexcept;

/// One block up to this rank's share of its sum (Workspace::partial_of, squares_of); without a
/// barrier at the end.
void compute_block(Workspace& ws, threads::Worker worker, Block block, std::size_t layer,
                   MicroBatch& batch) noexcept;

/// **Collective.** Start to add up the shares of a block's sum.
void start_sum(Workspace& ws, comm::Communicator& comm, Block block, MicroBatch& batch) noexcept;

/// What follows a block's sum, for rows [begin, end) of the micro-batch: x += sum + bias, and the
/// norm that comes next (none after the last layer); or the joint norm of queries and keys.
void use_sum(Workspace& ws, Block block, std::size_t layer, MicroBatch& batch, Range rows) noexcept;

} // namespace pillar::forward
