// Attention of own heads: pages, the page tree, and putting together what threads have shared.

#include "attention.hpp"

#include "workspace.hpp"

#include <algorithm>

namespace pillar::forward {

namespace {

using attention::AttentionJob;
using attention::AttentionPlan;
using attention::PageTree;
using attention::SplitAttention;
using kernels::page_positions;
using kernels::PageQuery;
using kernels::PartialAttention;

/// How the threads share what a layer attends to.
const AttentionPlan& plan_of(const Workspace& ws, std::size_t layer,
                             const MicroBatch& batch) noexcept {
    return batch.plans[ws.cache.class_of(layer)];
}

/// Whether a head's columns are whole blocks of activations, which no other head shares.
bool has_own_blocks(const Workspace& ws) noexcept {
    return ws.model.h.head_dim % kernels::block_size == 0;
}

/// The query heads of this rank that one of its KV heads serves: [begin, end) of own heads.
Range heads_of(const Workspace& ws, std::size_t kv_head) noexcept {
    const std::size_t group = ws.model.h.n_heads / ws.model.h.n_kv_heads;
    const std::size_t first = (ws.model.share.kv_heads.begin + kv_head) * group;
    return {std::max(first, ws.model.share.heads.begin) - ws.model.share.heads.begin,
            std::min(first + group, ws.model.share.heads.end) - ws.model.share.heads.begin};
}

/// The int8 blocks of columns [begin, end) of the attention result of a row. The columns are whole
/// blocks.
void quantize_columns(Workspace& ws, MicroBatch& batch, std::size_t row, std::size_t begin,
                      std::size_t end) noexcept {
    if (ws.model.family.float_activations) return;
    ws.model.family.quantize(batch.attention, row, begin / kernels::block_size,
                             end / kernels::block_size);
}

/// Where query i of a job stands: rows outside, heads inside.
struct RowAndHead {
    std::size_t row, head;
};
RowAndHead row_and_head_of(const AttentionJob& job, Range heads, std::size_t query) noexcept {
    return {job.first_row + query / heads.size(), heads.begin + query % heads.size()};
}

/// A head's sink takes part as a position whose score it is and whose value is zero.
void add_sink(const Workspace& ws, std::size_t layer, std::size_t head,
              PartialAttention& all) noexcept {
    static float no_value[model::max_head_dim] = {};
    const std::vector<float>& sinks = ws.model.weights.layers[layer].sinks;
    if (!sinks.empty())
        ws.model.family.combine(all, {sinks[head], 1.0f, no_value}, ws.model.h.head_dim);
}

void finish(Workspace& ws, std::size_t layer, MicroBatch& batch, RowAndHead place,
            PartialAttention& all) noexcept {
    add_sink(ws, layer, place.head, all);
    const std::size_t head_dim = ws.model.h.head_dim, begin = place.head * head_dim;
    float* const out = batch.attention.column(place.row) + begin;
    ws.model.family.finish_attention(all, head_dim, out);
    if (kernels::is_rotated(ws.cache.types().values)) kernels::rotate_head(out, head_dim);
    if (has_own_blocks(ws)) quantize_columns(ws, batch, place.row, begin, begin + head_dim);
}

/// All pages of a job, into the tree. `next` is the job after it, if there is one.
void attend_pages(Workspace& ws, const AttentionJob& job, const AttentionJob* next,
                  std::size_t layer, const MicroBatch& batch, PageTree& tree,
                  float* scores) noexcept {
    const std::size_t head_dim = ws.model.h.head_dim;
    const model::LayerSpec& spec = ws.model.h.layers[layer];
    const kernels::ScoreRule rule{spec.attention_scale, spec.score_cap};
    const Range heads = heads_of(ws, job.kv_head);
    const std::size_t n_queries = job.n_rows * heads.size();
    const std::int32_t sequence = batch.rows[job.first_row].sequence;
    tree.clear();
    for (std::size_t p = job.page_begin; p < job.page_end; ++p) {
        PageQuery* const queries = tree.next();
        for (std::size_t i = 0; i < n_queries; ++i) {
            const auto [row, head] = row_and_head_of(job, heads, i);
            const auto position = static_cast<std::size_t>(batch.rows[row].position);
            const std::size_t first = cache::first_visible(position, spec.window);
            queries[i].query =
                ws.buffers.q.data() + (batch.begin + row) * ws.model.q_dim() + head * head_dim;
            const std::size_t page_begin = p * page_positions;
            queries[i].first_visible = std::max(first, page_begin) - page_begin;
            queries[i].n_visible = std::min(position + 1 - page_begin, page_positions);
        }
        kernels::PageView page = ws.cache.page(sequence, p, layer, job.kv_head);
        if (p + 1 < job.page_end)
            page.next = ws.cache.page(sequence, p + 1, layer, job.kv_head).keys;
        else if (next != nullptr)
            page.next = ws.cache
                            .page(batch.rows[next->first_row].sequence, next->page_begin, layer,
                                  next->kv_head)
                            .keys;
        ws.model.family.attend_page(queries, n_queries, page, ws.cache.types(), head_dim, rule,
                                    scores);
        tree.push(p, n_queries, ws.model.family);
    }
}

/// The parts of a split job, as one row of results for each query.
struct Parts {
    Workspace& ws;
    const AttentionPlan& plan;
    const SplitAttention& split;

    PageTree& tree(std::size_t i) const noexcept {
        const std::size_t job = split.first_job + i;
        return ws.scratch[plan.thread_of(job)].trees[plan.is_first(job) ? 0 : 1];
    }
    /// The whole tree of one query; the parts' results are used up.
    PartialAttention& add_up(std::size_t query) const noexcept {
        constexpr std::size_t capacity = 2 * 64;
        PageTree::Run runs[capacity];
        PartialAttention* parts[capacity];
        std::size_t top = 0;
        const auto merge = [&] {
            ws.model.family.combine(*parts[top - 2], *parts[top - 1], ws.model.h.head_dim);
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

std::size_t tile_rows(const model::Hyperparameters& h) noexcept {
    return std::max<std::size_t>(1, tile_queries / (h.n_heads / h.n_kv_heads));
}
std::size_t queries_a_tile(const model::Hyperparameters& h) noexcept {
    return tile_rows(h) * (h.n_heads / h.n_kv_heads);
}

AttentionScratch::AttentionScratch(std::size_t n_queries, std::size_t n_pages, std::size_t head_dim)
    : scores(kernels::queries_at_once * page_positions), trees{{n_queries, n_pages, head_dim},
                                                               {n_queries, n_pages, head_dim}} {}

std::size_t AttentionScratch::n_floats(std::size_t n_queries, std::size_t n_pages,
                                       std::size_t head_dim) noexcept {
    return kernels::queries_at_once * page_positions +
           2 * PageTree::n_floats(n_queries, n_pages, head_dim);
}

void compute_attention(Workspace& ws, threads::Worker worker, std::size_t layer,
                       MicroBatch& batch) noexcept {
    const auto me = static_cast<std::size_t>(worker.index());
    AttentionScratch& scratch = ws.scratch[me];
    const AttentionPlan& plan = plan_of(ws, layer, batch);
    const std::span<const AttentionJob> jobs = plan.jobs(me);
    for (std::size_t j = 0; j < jobs.size(); ++j) {
        const AttentionJob& job = jobs[j];
        PageTree& tree = scratch.trees[j == 0 && !job.is_whole() ? 0 : 1];
        const AttentionJob* const next = j + 1 < jobs.size() ? &jobs[j + 1] : nullptr;
        attend_pages(ws, job, next, layer, batch, tree, scratch.scores.data());
        ws.look_at_messages(worker);
        if (!job.is_whole()) continue;
        const Range heads = heads_of(ws, job.kv_head);
        for (std::size_t i = 0; i < job.n_rows * heads.size(); ++i) {
            for (std::size_t run = tree.runs().size() - 1; run > 0; --run)
                ws.model.family.combine(tree.part(run - 1, i), tree.part(run, i),
                                        ws.model.h.head_dim);
            finish(ws, layer, batch, row_and_head_of(job, heads, i), tree.part(0, i));
        }
    }
    if (has_own_blocks(ws) || batch.rows.size() <= few_rows) return;
    // All heads of a row are one thread's: its blocks too, when the last head is done.
    const kernels::ActivationLayout& layout = batch.attention.layout;
    for (const AttentionJob& job : jobs)
        if (job.kv_head + 1 == ws.model.share.kv_heads.size() && !ws.model.family.float_activations)
            for (std::size_t r = job.first_row; r < job.first_row + job.n_rows; ++r)
                ws.model.family.quantize(batch.attention, r, 0, layout.n_blocks);
}

bool must_join_attention(const Workspace& ws, std::size_t layer, const MicroBatch& batch) noexcept {
    return !plan_of(ws, layer, batch).splits().empty() ||
           (!has_own_blocks(ws) && batch.rows.size() <= few_rows);
}

void join_attention(Workspace& ws, threads::Worker worker, std::size_t layer,
                    MicroBatch& batch) noexcept {
    const AttentionPlan& plan = plan_of(ws, layer, batch);
    const auto me = static_cast<std::size_t>(worker.index());
    const auto n_threads = static_cast<std::size_t>(worker.count());
    std::size_t n_seen = 0;
    for (const SplitAttention& split : plan.splits()) {
        const AttentionJob& job = plan.job(split.first_job);
        const Range heads = heads_of(ws, job.kv_head);
        for (std::size_t i = 0; i < job.n_rows * heads.size(); ++i, ++n_seen) {
            const RowAndHead place = row_and_head_of(job, heads, i);
            // Heads are taken in turn where each is whole blocks, rows where their heads share
            // some.
            if ((has_own_blocks(ws) ? n_seen : place.row) % n_threads == me)
                finish(ws, layer, batch, place, Parts{ws, plan, split}.add_up(i));
        }
    }
    if (has_own_blocks(ws) || ws.model.family.float_activations) return;
    for (std::size_t r = me; r < batch.rows.size(); r += n_threads)
        ws.model.family.quantize(batch.attention, r, 0, batch.attention.layout.n_blocks);
}

} // namespace pillar::forward
