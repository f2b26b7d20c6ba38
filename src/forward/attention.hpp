#pragma once
// Attention of this rank's heads over the KV cache, shared by the team as the step's AttentionPlan
// says.

#include "pillar/attention/page_tree.hpp"
#include "pillar/core/aligned_buffer.hpp"
#include "pillar/model/hyperparameters.hpp"
#include "pillar/threads/team.hpp"

namespace pillar::forward {

/// Query heads × rows that go through the pages together, so that a page is read once for them all;
/// at least the heads of one group.
inline constexpr std::size_t tile_queries = 64;
/// Rows of such a tile, and its query heads × rows.
std::size_t tile_rows(const model::Hyperparameters& h) noexcept;
std::size_t queries_a_tile(const model::Hyperparameters& h) noexcept;

/// Of one thread. A thread's first job may be the end of a split one and its last the beginning of
/// another: both results wait for the barrier, each in its tree.
struct AttentionScratch {
    AttentionScratch(std::size_t n_queries, std::size_t n_pages, std::size_t head_dim);
    static std::size_t n_floats(std::size_t n_queries, std::size_t n_pages,
                                std::size_t head_dim) noexcept;

    AlignedBuffer<float> scores; ///< (queries_at_once, 256)
    attention::PageTree trees[2];
};

struct MicroBatch;
struct Workspace;

/// This thread's jobs. Whole ones end in batch.attention, quantised if the thread has all of a
/// block.
void compute_attention(Workspace& ws, threads::Worker worker, std::size_t layer,
                       MicroBatch& batch) noexcept;

/// Whether something is left to do after a barrier: split jobs to put together, blocks to quantise.
[[nodiscard]] bool must_join_attention(const Workspace& ws, std::size_t layer,
                                       const MicroBatch& batch) noexcept;
/// Do this thread's share of it.
void join_attention(Workspace& ws, threads::Worker worker, std::size_t layer,
                    MicroBatch& batch) noexcept;

} // namespace pillar::forward
