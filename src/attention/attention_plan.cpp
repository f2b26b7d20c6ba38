// Assigning the attention of a step to the threads: walk over its smallest pieces in order, give
// each to the thread in whose equal share of all costs its middle lies, join what belongs together.

#include "pillar/attention/attention_plan.hpp"

#include "pillar/cache/kv_cache.hpp"

#include "pillar/core/errors.hpp"

#include <algorithm>

namespace pillar::attention {

namespace {

std::uint32_t narrow(std::size_t n) noexcept {
    return static_cast<std::uint32_t>(n);
}

/// Position after the last one that the row sees: its own.
std::size_t end_of(const Row& row) noexcept {
    return static_cast<std::size_t>(row.position) + 1;
}

std::size_t last_page(const Row& row) noexcept {
    return cache::PageTables::pages_for(end_of(row));
}

/// Assigns costs that come one after another to `n_threads` equal shares of their total.
class Assigner {
  public:
    Assigner(std::uint64_t total, std::size_t n_threads) noexcept
        : total_(total), n_threads_(n_threads) {}
    /// The thread whose share the middle of the next cost lies in.
    std::size_t assign(std::uint64_t cost) noexcept {
        const std::uint64_t middle = 2 * sum_ + cost; // both doubled: no fractions
        sum_ += cost;
        return std::min<std::size_t>(middle * n_threads_ / (2 * total_), n_threads_ - 1);
    }

  private:
    std::uint64_t total_;
    std::size_t n_threads_;
    std::uint64_t sum_ = 0;
};

/// A page of a head costs its visible positions and what does not depend on them.
std::uint64_t page_cost(std::size_t n_rows, std::size_t visible) noexcept {
    return n_rows * (visible + 16);
}

std::size_t max_jobs(const AttentionPlan::Shape& shape) noexcept {
    return shape.max_rows * shape.n_kv_heads + static_cast<std::size_t>(shape.n_threads);
}

} // namespace

AttentionPlan::AttentionPlan(const Shape& shape)
    : shape_(shape), first_job_(static_cast<std::size_t>(shape.n_threads) + 1) {
    jobs_.reserve(max_jobs(shape));
    splits_.reserve(static_cast<std::size_t>(shape.n_threads));
}

std::size_t AttentionPlan::size_bytes(const Shape& shape) noexcept {
    return max_jobs(shape) * sizeof(AttentionJob);
}

void AttentionPlan::make(std::span<const Row> rows) noexcept {
    jobs_.clear();
    splits_.clear();
    std::fill(first_job_.begin(), first_job_.end(), 0);
    if (shape_.n_kv_heads == 0 || rows.empty()) return;
    if (rows.size() <= few_rows)
        share_pages(rows);
    else
        share_rows(rows);
    expects(jobs_.size() <= max_jobs(shape_), "attention has room for its jobs");
    for (std::size_t t = 1; t < first_job_.size(); ++t) // threads without a job
        first_job_[t] = std::max(first_job_[t], first_job_[t - 1]);
    for (std::size_t i = 0; i < jobs_.size();) {
        std::size_t end = i + 1;
        while (end < jobs_.size() && !jobs_[end].is_start()) ++end;
        if (end > i + 1) splits_.push_back({narrow(i), narrow(end - i)});
        i = end;
    }
}

std::size_t AttentionPlan::thread_of(std::size_t job) const noexcept {
    const auto next = std::upper_bound(first_job_.begin(), first_job_.end(), job);
    return static_cast<std::size_t>(next - first_job_.begin()) - 1;
}

/// The next piece in order: a job of its own, or more of the last one.
void AttentionPlan::add(std::size_t thread, const AttentionJob& piece,
                        bool pages_may_join) noexcept {
    if (!jobs_.empty() && first_job_[thread + 1] == jobs_.size()) {
        AttentionJob& last = jobs_.back();
        if (pages_may_join && last.kv_head == piece.kv_head && last.first_row == piece.first_row &&
            last.page_end == piece.page_begin && !piece.is_start()) {
            last.page_end = piece.page_end;
            return;
        }
    }
    jobs_.push_back(piece);
    first_job_[thread + 1] = jobs_.size();
}

std::size_t AttentionPlan::first_page(const Row& row) const noexcept {
    return cache::first_visible(static_cast<std::size_t>(row.position), shape_.window) /
           kernels::page_positions;
}

std::size_t AttentionPlan::n_visible(const Row& row) const noexcept {
    return end_of(row) -
           cache::first_visible(static_cast<std::size_t>(row.position), shape_.window);
}

std::size_t AttentionPlan::n_visible(const Row& row, std::size_t page) const noexcept {
    const std::size_t begin = page * kernels::page_positions;
    const std::size_t first = std::max(
        begin, cache::first_visible(static_cast<std::size_t>(row.position), shape_.window));
    return std::min(end_of(row), begin + kernels::page_positions) - first;
}

/// End of the tile that begins with row `first`.
std::size_t AttentionPlan::tile_end(std::span<const Row> rows, std::size_t first) const noexcept {
    std::size_t end = first + 1;
    while (end < rows.size() && end - first < shape_.tile_rows &&
           rows[end].sequence == rows[first].sequence &&
           rows[end].position == rows[end - 1].position + 1 &&
           last_page(rows[end]) == last_page(rows[first]) &&
           first_page(rows[end]) == first_page(rows[first]))
        ++end;
    return end;
}

void AttentionPlan::share_pages(std::span<const Row> rows) noexcept {
    const auto cost_of = [&](std::size_t first, std::size_t end, std::size_t page) {
        return page_cost(end - first, n_visible(rows[end - 1], page));
    };
    std::uint64_t total = 0;
    for (std::size_t r = 0; r < rows.size(); r = tile_end(rows, r))
        for (std::size_t p = first_page(rows[r]); p < last_page(rows[r]); ++p)
            total += shape_.n_kv_heads * cost_of(r, tile_end(rows, r), p);

    Assigner assigner(total, static_cast<std::size_t>(shape_.n_threads));
    for (std::size_t r = 0; r < rows.size(); r = tile_end(rows, r)) {
        const std::size_t end = tile_end(rows, r);
        const std::size_t first = first_page(rows[r]), last = last_page(rows[r]);
        for (std::size_t head = 0; head < shape_.n_kv_heads; ++head)
            for (std::size_t p = first; p < last; ++p)
                add(assigner.assign(cost_of(r, end, p)),
                    {narrow(r), narrow(end - r), narrow(head), narrow(p), narrow(p + 1),
                     narrow(first), narrow(last)},
                    true);
    }
}

/// Of many rows every job has all pages of its rows.
void AttentionPlan::share_rows(std::span<const Row> rows) noexcept {
    // Without own blocks the heads of a row stay together: the walk has one round over the rows.
    const std::size_t n_rounds = shape_.own_blocks ? shape_.n_kv_heads : 1;
    const std::size_t heads_a_round = shape_.n_kv_heads / n_rounds;
    std::uint64_t total = 0;
    for (const Row& row : rows) total += n_rounds * page_cost(1, n_visible(row));

    Assigner assigner(total, static_cast<std::size_t>(shape_.n_threads));
    for (std::size_t round = 0; round < n_rounds; ++round) {
        std::size_t first = 0; // of the rows that one thread has next
        std::size_t owner = 0;
        for (std::size_t r = 0; r <= rows.size(); ++r) {
            const std::size_t next =
                r < rows.size() ? assigner.assign(page_cost(1, n_visible(rows[r]))) : owner + 1;
            if (r == 0) owner = next;
            if (next == owner) continue;
            const std::span<const Row> mine = rows.first(r);
            for (std::size_t h = 0; h < heads_a_round; ++h)
                for (std::size_t tile = first; tile < r; tile = tile_end(mine, tile)) {
                    const std::size_t end = tile_end(mine, tile);
                    const std::size_t begin_page = first_page(rows[tile]);
                    const std::size_t end_page = last_page(rows[tile]);
                    add(owner,
                        {narrow(tile), narrow(end - tile), narrow(round + h), narrow(begin_page),
                         narrow(end_page), narrow(begin_page), narrow(end_page)},
                        false);
                }
            first = r;
            owner = next;
        }
    }
}

} // namespace pillar::attention
