#pragma once
// The ranks' partial sums added up on one rank, in the tree of recursive doubling: every algorithm
// that promises equal bits adds with this or in this order (docs/architecture.md, "Same bits").

#include <cstddef>
#include <span>

namespace pillar::comm {

/// out[i] = Σ over the ranks r of leaves[r][i], i < n, in the balanced tree of the ranks; beyond a
/// power of two, rank 2^k + r is added to rank r first. The leaves are overwritten; `out` may be
/// one of them.
void add_in_tree(std::span<float* const> leaves, std::size_t n, float* out) noexcept;

/// sum[i] += other[i].
void add_to(std::span<float> sum, const float* other) noexcept;

} // namespace pillar::comm
