// Attention of own heads: pages, the page tree, and putting together what threads have shared.

#include "attention.hpp"

#include "forward_state.hpp"

#include <bit>
#include <cmath>

namespace pillar::forward {

namespace {

using kernels::page_positions;
using kernels::PageQuery;
using kernels::PartialAttention;

/// Runs that a tree can hold at a time: those of a piece that begins and ends anywhere, and the
/// page being added.
std::size_t max_runs(std::size_t n_pages) noexcept {
    return 2 * static_cast<std::size_t>(std::bit_width(n_pages)) + 1;
}

/// The query heads of this rank that one of its KV heads serves: [begin, end) of own heads.
Range heads_of(const Transformer::State& s, std::size_t kv_head) noexcept {
    const std::size_t group = s.h.n_heads / s.h.n_kv_heads;
    const std::size_t first = (s.share.kv_heads.begin + kv_head) * group;
    return {std::max(first, s.share.heads.begin) - s.share.heads.begin,
            std::min(first + group, s.share.heads.end) - s.share.heads.begin};
}

/// The int8 blocks of columns [begin, end) of the attention result of a row. The columns are whole
/// blocks.
void quantize_columns(Transformer::State& s, Half& half, std::size_t row, std::size_t begin,
                      std::size_t end) noexcept {
    if (s.family.float_activations) return;
    s.family.quantize(half.attention, row, begin / kernels::block_size, end / kernels::block_size);
}

/// Where query i of a job stands: rows outside, heads inside.
struct RowAndHead {
    std::size_t row, head;
};
RowAndHead row_and_head_of(const AttentionJob& job, Range heads, std::size_t query) noexcept {
    return {job.first_row + query / heads.size(), heads.begin + query % heads.size()};
}

void finish(Transformer::State& s, Half& half, RowAndHead place,
            const PartialAttention& all) noexcept {
    const std::size_t head_dim = s.h.head_dim, begin = place.head * head_dim;
    s.family.finish_attention(all, head_dim, half.attention.column(place.row) + begin);
    if (s.has_own_blocks()) quantize_columns(s, half, place.row, begin, begin + head_dim);
}

/// All pages of a job, into the tree. `next` is the job after it, if there is one.
void attend_pages(Transformer::State& s, const AttentionJob& job, const AttentionJob* next,
                  std::size_t layer, const Half& half, PageTree& tree, float* scores) noexcept {
    const std::size_t head_dim = s.h.head_dim;
    const auto scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(head_dim)));
    const Range heads = heads_of(s, job.kv_head);
    const std::size_t n_queries = job.n_rows * heads.size();
    const std::int32_t sequence = half.rows[job.first_row].sequence;
    tree.clear();
    for (std::size_t p = job.page_begin; p < job.page_end; ++p) {
        PageQuery* const queries = tree.next();
        for (std::size_t i = 0; i < n_queries; ++i) {
            const auto [row, head] = row_and_head_of(job, heads, i);
            const auto n_visible = static_cast<std::size_t>(half.rows[row].position) + 1;
            queries[i].query =
                s.buffers.q.data() + (half.begin + row) * s.q_dim() + head * head_dim;
            queries[i].n_visible = std::min(n_visible - p * page_positions, page_positions);
        }
        kernels::PageView page = s.cache.page(sequence, p, layer, job.kv_head);
        if (p + 1 < job.page_end)
            page.next = s.cache.page(sequence, p + 1, layer, job.kv_head).keys;
        else if (next != nullptr)
            page.next = s.cache
                            .page(half.rows[next->first_row].sequence, next->page_begin, layer,
                                  next->kv_head)
                            .keys;
        s.family.attend_page(queries, n_queries, page, s.cache.type(), head_dim, scale, scores);
        tree.push(p, n_queries, s.family);
    }
}

/// The parts of a split job, as one row of results for each query.
struct Parts {
    Transformer::State& s;
    const AttentionPlan& plan;
    const SplitAttention& split;

    PageTree& tree(std::size_t i) const noexcept {
        const std::size_t job = split.first_job + i;
        return s.scratch[plan.thread_of(job)].trees[plan.is_first(job) ? 0 : 1];
    }
    /// The whole tree of one query; the parts' results are used up.
    PartialAttention& add_up(std::size_t query) const noexcept {
        constexpr std::size_t capacity = 2 * 64;
        PageTree::Run runs[capacity];
        PartialAttention* parts[capacity];
        std::size_t top = 0;
        const auto merge = [&] {
            s.family.combine(*parts[top - 2], *parts[top - 1], s.h.head_dim);
            runs[top - 2].n += runs[top - 1].n;
            --top;
        };
        for (std::size_t i = 0; i < split.n_jobs; ++i) {
            PageTree& part = tree(i);
            for (std::size_t r = 0; r < part.runs().size(); ++r) {
                runs[top] = part.runs()[r];
                parts[top++] = &part.part(r, query);
                while (top >= 2 && runs[top - 2].joins(runs[top - 1])) merge();
            }
        }
        while (top >= 2) merge();
        return *parts[0];
    }
};

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

AttentionScratch::AttentionScratch(std::size_t n_queries, std::size_t n_pages, std::size_t head_dim)
    : scores(kernels::queries_at_once * page_positions), trees{{n_queries, n_pages, head_dim},
                                                               {n_queries, n_pages, head_dim}} {}

std::size_t AttentionScratch::n_floats(std::size_t n_queries, std::size_t n_pages,
                                       std::size_t head_dim) noexcept {
    return kernels::queries_at_once * page_positions +
           2 * PageTree::n_floats(n_queries, n_pages, head_dim);
}

void attend(Transformer::State& s, threads::Worker worker, std::size_t layer, Half& half) noexcept {
    const auto me = static_cast<std::size_t>(worker.index());
    AttentionScratch& scratch = s.scratch[me];
    const std::span<const AttentionJob> jobs = half.plan.jobs(me);
    for (std::size_t j = 0; j < jobs.size(); ++j) {
        const AttentionJob& job = jobs[j];
        PageTree& tree = scratch.trees[j == 0 && !job.is_whole() ? 0 : 1];
        const AttentionJob* const next = j + 1 < jobs.size() ? &jobs[j + 1] : nullptr;
        attend_pages(s, job, next, layer, half, tree, scratch.scores.data());
        s.look_at_messages(worker);
        if (!job.is_whole()) continue;
        const Range heads = heads_of(s, job.kv_head);
        for (std::size_t i = 0; i < job.n_rows * heads.size(); ++i) {
            for (std::size_t run = tree.runs().size() - 1; run > 0; --run)
                s.family.combine(tree.part(run - 1, i), tree.part(run, i), s.h.head_dim);
            finish(s, half, row_and_head_of(job, heads, i), tree.part(0, i));
        }
    }
    if (s.has_own_blocks() || half.rows.size() <= few_rows) return;
    // All heads of a row are one thread's: its blocks too, when the last head is done.
    const kernels::ActivationLayout& layout = half.attention.layout;
    for (const AttentionJob& job : half.plan.jobs(me))
        if (job.kv_head + 1 == s.share.kv_heads.size() && !s.family.float_activations)
            for (std::size_t r = job.first_row; r < job.first_row + job.n_rows; ++r)
                s.family.quantize(half.attention, r, 0, layout.n_blocks);
}

bool must_join_attention(const Transformer::State& s, const Half& half) noexcept {
    return !half.plan.splits().empty() || (!s.has_own_blocks() && half.rows.size() <= few_rows);
}

void join_attention(Transformer::State& s, threads::Worker worker, Half& half) noexcept {
    const auto me = static_cast<std::size_t>(worker.index());
    const auto n_threads = static_cast<std::size_t>(worker.count());
    std::size_t n_seen = 0;
    for (const SplitAttention& split : half.plan.splits()) {
        const AttentionJob& job = half.plan.job(split.first_job);
        const Range heads = heads_of(s, job.kv_head);
        for (std::size_t i = 0; i < job.n_rows * heads.size(); ++i, ++n_seen) {
            const RowAndHead place = row_and_head_of(job, heads, i);
            // Heads are assigned in turn where each is whole blocks, rows where their heads share
            // some.
            if ((s.has_own_blocks() ? n_seen : place.row) % n_threads == me)
                finish(s, half, place, Parts{s, half.plan, split}.add_up(i));
        }
    }
    if (s.has_own_blocks() || s.family.float_activations) return;
    for (std::size_t r = me; r < half.rows.size(); r += n_threads)
        s.family.quantize(half.attention, r, 0, half.attention.layout.n_blocks);
}

} // namespace pillar::forward
