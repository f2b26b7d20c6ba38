#pragma once
// The pages of a sequence are combined as a binary tree, whoever computes them. A tree here takes
// them one by one, from left to right.

#include "pillar/core/aligned_buffer.hpp"
#include "pillar/kernels/family.hpp"

#include <span>
#include <vector>

namespace pillar::attention {

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

} // namespace pillar::attention
