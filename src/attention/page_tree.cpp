#include "pillar/attention/page_tree.hpp"

#include <bit>

namespace pillar::attention {

namespace {

/// Runs that a tree can hold at a time: those of a piece that begins and ends anywhere, and the
/// page being added.
std::size_t max_runs(std::size_t n_pages) noexcept {
    return 2 * static_cast<std::size_t>(std::bit_width(n_pages)) + 1;
}

} // namespace

PageTree::PageTree(std::size_t n_queries, std::size_t n_pages, std::size_t head_dim)
    : n_queries_(n_queries), head_dim_(head_dim), outputs_(n_floats(n_queries, n_pages, head_dim)),
      queries_(max_runs(n_pages) * n_queries) {
    runs_.reserve(max_runs(n_pages));
    for (std::size_t i = 0; i < queries_.size(); ++i)
        queries_[i].part.o = outputs_.data() + i * head_dim;
}

std::size_t PageTree::n_floats(std::size_t n_queries, std::size_t n_pages,
                               std::size_t head_dim) noexcept {
    return max_runs(n_pages) * n_queries * head_dim;
}

void PageTree::push(std::size_t page, std::size_t n_queries,
                    const kernels::Family& family) noexcept {
    runs_.push_back({page, 1});
    while (runs_.size() >= 2 && runs_[runs_.size() - 2].joins(runs_.back())) {
        const std::size_t left = runs_.size() - 2;
        for (std::size_t i = 0; i < n_queries; ++i)
            family.combine(part(left, i), part(left + 1, i), head_dim_);
        runs_.pop_back();
        runs_.back().n *= 2;
    }
}

} // namespace pillar::attention
