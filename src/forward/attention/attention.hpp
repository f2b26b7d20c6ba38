#pragma once
// Attention of this rank's heads over the KV cache, shared by the team as the step's AttentionPlan
// says.

#include "attention_plan.hpp"

#include "pillar/core/aligned_buffer.hpp"

#include <vector>

namespace pillar::forward {

/// Query heads × rows that go through the pages together, so that a page is read once for them all;
/// at least the heads of one group.
inline constexpr std::size_t tile_queries = 64;

/// What one job has of the page tree so far: the results of runs of pages, from left to right, for
/// every query of the job. Equal neighbours that are a subtree together are merged at once, as in a
/// binary counter.
class PageTree {
  public:
    PageTree(std::size_t n_queries, std::size_t n_pages, std::size_t head_dim);
    static std::size_t n_floats(std::size_t n_queries, std::size_t n_pages,
                                std::size_t head_dim) noexcept;

    /// A run of pages [first, first + n) that the tree adds up as a whole; n a power of two.
    struct Run {
        std::size_t first;
        std::size_t n;
        /// Whether the neighbour to the right makes a larger such run with it.
        [[nodiscard]] bool joins(const Run& right) const noexcept {
            return n == right.n && first % (2 * n) == 0;
        }
    };

    void clear() noexcept { runs_.clear(); }
    /// The queries of the page that comes next, part.o set; the caller sets the rest.
    kernels::PageQuery* next() noexcept { return queries_.data() + runs_.size() * n_queries_; }
    /// The page at next() is computed: add it to the tree.
    void push(std::size_t page, std::size_t n_queries, const kernels::Family& family) noexcept;
    [[nodiscard]] std::span<const Run> runs() const noexcept { return runs_; }
    [[nodiscard]] kernels::PartialAttention& part(std::size_t run, std::size_t query) noexcept {
        return queries_[run * n_queries_ + query].part;
    }

  private:
    std::size_t n_queries_, head_dim_;
    AlignedBuffer<float> outputs_;            ///< (runs, queries, head_dim)
    std::vector<kernels::PageQuery> queries_; ///< (runs, queries)
    std::vector<Run> runs_;
};

/// Of one thread. A thread's first job may be the end of a split one and its last the beginning of
/// another: both results wait for the barrier, each in its tree.
struct AttentionScratch {
    AttentionScratch(std::size_t n_queries, std::size_t n_pages, std::size_t head_dim);
    static std::size_t n_floats(std::size_t n_queries, std::size_t n_pages,
                                std::size_t head_dim) noexcept;

    AlignedBuffer<float> scores; ///< (queries_at_once, 256)
    PageTree trees[2];
};

struct Half;

/// This thread's jobs. Whole ones end in half.attention, quantised if the thread has all of a
/// block.
void attend(Transformer::State& s, threads::Worker worker, std::size_t layer, Half& half) noexcept;

/// Whether something is left to do after a barrier: split jobs to put together, blocks to quantise.
[[nodiscard]] bool must_join_attention(const Transformer::State& s, const Half& half) noexcept;
/// Do this thread's share of it.
void join_attention(Transformer::State& s, threads::Worker worker, Half& half) noexcept;

} // namespace pillar::forward
