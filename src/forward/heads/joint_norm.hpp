#pragma once
// A norm of the queries, and one of the keys, of all heads of a row. Each rank has its own heads,
// so the sums of their squares are added over the ranks first: two numbers a row. They are the only
// thing in a layer that is exchanged before its block has ended.

#include "workspace.hpp"

namespace pillar::forward {

/// This rank's share of both sums for every row of the micro-batch, in Workspace::squares_of: the
/// squares of own heads, slice by slice. A KV head that several ranks have is counted in the slice
/// that has its first query head.
void add_up_squares(Workspace& ws, MicroBatch& batch) noexcept;

/// Of rows [begin, end) of the micro-batch, whose sums are complete: queries and keys of own heads,
/// normalised and rotated; the keys go to the cache.
void normalise_all_heads(Workspace& ws, std::size_t layer, const MicroBatch& batch,
                         Range rows) noexcept;

} // namespace pillar::forward
