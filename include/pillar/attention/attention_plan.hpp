#pragma once
// How the threads share the attention of one step. It is the same in every layer that sees as far
// back, so it is made once a step for each such distance. All threads get about the same number of
// (query, position) pairs.
//
// A job is a KV head × a tile of rows × their pages: neighbouring rows of one sequence that see the
// same pages, so that a page is read once for all of them and they go through the page tree in
// step. Of a few rows (decoding) a job may be a part of the pages, when there are fewer heads than
// threads: what it leaves is put together after a barrier. Of many rows (a chunk of the prompt) the
// rows are enough to share.

#include "pillar/attention/row.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace pillar::attention {

/// Up to this many rows of a step are "a few": their pages are shared too, and what is serial
/// (norms) is left to one thread.
inline constexpr std::size_t few_rows = 4;

struct AttentionJob {
    std::uint32_t first_row, n_rows;
    std::uint32_t kv_head; ///< counted from the rank's first
    std::uint32_t page_begin, page_end;
    std::uint32_t first_page, last_page; ///< [first, last) of each row
    [[nodiscard]] bool is_whole() const noexcept { return is_start() && page_end == last_page; }
    [[nodiscard]] bool is_start() const noexcept { return page_begin == first_page; }
};

/// Consecutive jobs, of different threads, that are the parts of one tile and head.
struct SplitAttention {
    std::uint32_t first_job, n_jobs;
};

class AttentionPlan {
  public:
    struct Shape {
        std::size_t n_kv_heads = 0; ///< of this rank; may be 0
        std::size_t tile_rows = 1;  ///< most rows of a job
        std::size_t max_rows = 1;   ///< of a step
        /// A head's columns are whole blocks of 32 activations, so that whoever has its result can
        /// quantise it. If not, of many rows all heads of a row are one thread's.
        bool own_blocks = true;
        int n_threads = 1;
        std::size_t window = 0; ///< positions that a row sees; 0: all before it
    };
    explicit AttentionPlan(const Shape& shape);
    static std::size_t size_bytes(const Shape& shape) noexcept;

    /// For the rows of a step. Allocates nothing.
    void make(std::span<const Row> rows) noexcept;

    /// Of one thread, in the order of heads, rows and pages.
    [[nodiscard]] std::span<const AttentionJob> jobs(std::size_t thread) const noexcept {
        return std::span(jobs_).subspan(first_job_[thread],
                                        first_job_[thread + 1] - first_job_[thread]);
    }
    [[nodiscard]] std::span<const SplitAttention> splits() const noexcept { return splits_; }
    [[nodiscard]] const AttentionJob& job(std::size_t index) const noexcept { return jobs_[index]; }
    /// The thread that a job belongs to.
    [[nodiscard]] std::size_t thread_of(std::size_t job) const noexcept;
    /// Whether job `index` is the first of its thread.
    [[nodiscard]] bool is_first(std::size_t index) const noexcept {
        return index == first_job_[thread_of(index)];
    }

  private:
    void add(std::size_t thread, const AttentionJob& piece, bool pages_may_join) noexcept;
    void share_pages(std::span<const Row> rows) noexcept;
    void share_rows(std::span<const Row> rows) noexcept;
    /// The row's first page and what it sees of a page.
    [[nodiscard]] std::size_t first_page(const Row& row) const noexcept;
    [[nodiscard]] std::size_t n_visible(const Row& row, std::size_t page) const noexcept;
    [[nodiscard]] std::size_t n_visible(const Row& row) const noexcept;
    [[nodiscard]] std::size_t tile_end(std::span<const Row> rows, std::size_t first) const noexcept;

    Shape shape_;
    std::vector<AttentionJob> jobs_;
    std::vector<std::size_t> first_job_; ///< (threads + 1)
    std::vector<SplitAttention> splits_;
};

} // namespace pillar::attention
