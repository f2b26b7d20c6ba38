#pragma once
// The start of an attention block.

#include "workspace.hpp"

namespace pillar::forward {

/// Query, key and value of own heads, in one pass: this thread's rows of the three, with biases and
/// rotation; keys and values go to the cache. Where the norm of queries and keys is a joint one
/// (heads/joint_norm.hpp) they are left as they are, with the squares of each head.
void project_query_key_value(Workspace& ws, threads::Worker worker, std::size_t layer,
                             const MicroBatch& batch) noexcept;

} // namespace pillar::forward
