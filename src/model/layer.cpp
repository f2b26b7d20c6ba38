// One transformer layer as one rank computes it. Every thread runs these lines; a barrier stands
// wherever the next step reads what other threads have written.

#include "forward_state.hpp"

#include <cmath>

namespace pillar::model {

namespace {

using kernels::Activations;
using kernels::Matrix;
using threads::Worker;

/// y = W · x for this thread's share of the row groups.
void product(Worker worker, const Matrix& w, const Activations& x, float* y,
             std::size_t y_stride) noexcept {
    const threads::Range groups = worker.share(w.n_groups());
    kernels::multiply(w, x, y, y_stride, groups.begin, groups.end);
}

/// int8 blocks of all columns, divided among the threads. Nothing to do for a family with f32
/// activations.
void quantize(Transformer::State& s, Worker worker, Activations& x) noexcept {
    const std::size_t n_blocks = x.layout.n_blocks;
    if (s.family.float_activations || n_blocks == 0) return;
    const threads::Range blocks = worker.share(x.n_columns() * n_blocks);
    for (std::size_t b = blocks.begin; b < blocks.end;) {
        const std::size_t column = b / n_blocks;
        const std::size_t end = std::min(blocks.end, (column + 1) * n_blocks);
        s.family.quantize(x, column, b - column * n_blocks, end - column * n_blocks);
        b = end;
    }
}

void add_bias(float* values, std::span<const float> bias) noexcept {
    for (std::size_t i = 0; i < bias.size(); ++i) values[i] += bias[i];
}

/// Biases and rotation of this thread's rows; keys and values go to the cache.
void rotate_and_store(Transformer::State& s, Worker worker, std::size_t layer,
                      std::span<const Row> rows) noexcept {
    const LayerWeights& w = s.weights.layers[layer];
    const std::size_t head_dim = s.h.head_dim, n_pairs = s.rope.n_pairs();
    const std::size_t n_heads = s.share.heads.size(), n_kv_heads = s.share.kv_heads.size();
    const threads::Range mine = worker.share(rows.size());
    for (std::size_t r = mine.begin; r < mine.end; ++r) {
        float* q = s.buffers.q.data() + r * s.q_dim();
        float* k = s.buffers.k.data() + r * s.kv_dim();
        float* v = s.buffers.v.data() + r * s.kv_dim();
        const float* cosine = s.buffers.cosine.data() + r * n_pairs;
        const float* sine = s.buffers.sine.data() + r * n_pairs;
        add_bias(q, w.query_bias);
        add_bias(k, w.key_bias);
        add_bias(v, w.value_bias);
        for (std::size_t head = 0; head < n_heads; ++head)
            s.family.rope(q + head * head_dim, cosine, sine, n_pairs);
        const auto position = static_cast<std::size_t>(rows[r].position);
        const std::size_t page = position / kernels::page_positions;
        for (std::size_t head = 0; head < n_kv_heads; ++head) {
            s.family.rope(k + head * head_dim, cosine, sine, n_pairs);
            s.family.store_kv(k + head * head_dim, v + head * head_dim,
                              s.cache.keys(rows[r].sequence, page, layer, head),
                              s.cache.values(rows[r].sequence, page, layer, head), s.cache.type(),
                              head_dim, position % kernels::page_positions);
        }
    }
}

/// One query head of one row over all its pages, which combine as a binary tree split at the
/// largest power of two: equal neighbours merge at once (a binary counter), what is left merges
/// from the right.
void attend(Transformer::State& s, AttentionScratch& scratch, const Row& row, std::size_t layer,
            std::size_t kv_head, const float* query, float* out) noexcept {
    const std::size_t head_dim = s.h.head_dim;
    const auto scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(head_dim)));
    const auto n_visible = static_cast<std::size_t>(row.position) + 1;
    const std::size_t n_pages = KvCache::pages_for(n_visible);
    auto& levels = scratch.levels;
    std::size_t top = 0;
    for (std::size_t p = 0; p < n_pages; ++p) {
        const std::size_t here =
            std::min(n_visible - p * kernels::page_positions, kernels::page_positions);
        const kernels::PageView page = s.cache.page(row.sequence, p, layer, kv_head);
        levels[top].partial =
            s.family.attend_page(query, page, s.cache.type(), head_dim, here, scale,
                                 scratch.scores.data(), scratch.outputs.data() + top * head_dim);
        levels[top++].n_pages = 1;
        for (; top >= 2 && levels[top - 1].n_pages == levels[top - 2].n_pages; --top) {
            s.family.combine(levels[top - 2].partial, levels[top - 1].partial, head_dim);
            levels[top - 2].n_pages *= 2;
        }
    }
    for (; top >= 2; --top)
        s.family.combine(levels[top - 2].partial, levels[top - 1].partial, head_dim);
    s.family.finish_attention(levels[0].partial, head_dim, out);
}

/// Attention of own heads over the cache; (row, head) pairs are dealt to the threads in turn, since
/// later rows see more.
void attention(Transformer::State& s, Worker worker, std::size_t layer,
               std::span<const Row> rows) noexcept {
    const std::size_t head_dim = s.h.head_dim, n_heads = s.share.heads.size();
    const std::size_t group = s.h.n_heads / s.h.n_kv_heads;
    auto& scratch = s.scratch[static_cast<std::size_t>(worker.index())];
    const std::size_t n_items = rows.size() * n_heads;
    for (auto i = static_cast<std::size_t>(worker.index()); i < n_items;
         i += static_cast<std::size_t>(worker.count())) {
        const std::size_t r = i / n_heads, head = i % n_heads;
        const std::size_t kv_head = (s.share.heads.begin + head) / group - s.share.kv_heads.begin;
        attend(s, scratch, rows[r], layer, kv_head,
               s.buffers.q.data() + r * s.q_dim() + head * head_dim,
               s.buffers.attention.column(r) + head * head_dim);
    }
}

/// hidden = silu(gate + bias) · (up + bias), own columns divided among the threads.
void activate(Transformer::State& s, Worker worker, const LayerWeights& w,
              std::size_t n_rows) noexcept {
    const std::size_t hidden = s.share.hidden.size();
    const threads::Range columns = worker.share(hidden);
    const auto part = [&](const std::vector<float>& bias) {
        return bias.empty() ? std::span<const float>()
                            : std::span(bias).subspan(columns.begin, columns.size());
    };
    for (std::size_t r = 0; r < n_rows && columns.size() > 0; ++r) {
        float* gate = s.buffers.gate.data() + r * hidden + columns.begin;
        float* up = s.buffers.up.data() + r * hidden + columns.begin;
        add_bias(gate, part(w.gate_bias));
        add_bias(up, part(w.up_bias));
        s.family.swiglu(gate, up, columns.size(), s.buffers.hidden.column(r) + columns.begin);
    }
}

/// Residual: x += bias + the reduced sum, in this thread's rows.
void add_residual(Transformer::State& s, Worker worker, std::span<const float> bias,
                  std::size_t n_rows) noexcept {
    const std::size_t dim = s.h.dim;
    const threads::Range mine = worker.share(n_rows);
    for (std::size_t r = mine.begin; r < mine.end; ++r) {
        float* sum = s.buffers.partial.data() + r * dim;
        add_bias(sum, bias);
        s.family.add(s.buffers.x.data() + r * dim, sum, dim);
    }
}

void normalise_rows(Transformer::State& s, Worker worker, std::span<const float> weight,
                    std::size_t n_rows) noexcept {
    const threads::Range mine = worker.share(n_rows);
    for (std::size_t r = mine.begin; r < mine.end; ++r)
        s.family.rms_norm(s.buffers.x.data() + r * s.h.dim, weight.data(), s.h.dim, s.h.norm_eps,
                          s.buffers.normed.column(r));
}

} // namespace

void compute_layer(Transformer::State& s, Worker worker, comm::Communicator& comm,
                   std::size_t layer, std::span<const Row> rows) noexcept {
    const LayerWeights& w = s.weights.layers[layer];
    Buffers& b = s.buffers;
    const std::size_t n = rows.size(), dim = s.h.dim, hidden = s.share.hidden.size();
    const std::span<float> partial = b.partial.span().first(n * dim);

    // Attention block. Rows are normalised by the thread that owns them, so no barrier stands
    // before the norm.
    normalise_rows(s, worker, w.attention_norm, n);
    worker.barrier();
    quantize(s, worker, b.normed);
    worker.barrier();
    product(worker, w.query, b.normed, b.q.data(), s.q_dim());
    product(worker, w.key, b.normed, b.k.data(), s.kv_dim());
    product(worker, w.value, b.normed, b.v.data(), s.kv_dim());
    worker.barrier();
    rotate_and_store(s, worker, layer, rows);
    worker.barrier();
    attention(s, worker, layer, rows);
    worker.barrier();
    quantize(s, worker, b.attention);
    worker.barrier();
    product(worker, w.output, b.attention, b.partial.data(), dim);
    worker.barrier();
    if (worker.is_main()) comm.allreduce(partial);
    worker.barrier();
    add_residual(s, worker, w.output_bias, n);

    // Feed-forward block.
    normalise_rows(s, worker, w.feed_forward_norm, n);
    worker.barrier();
    quantize(s, worker, b.normed);
    worker.barrier();
    product(worker, w.gate, b.normed, b.gate.data(), hidden);
    product(worker, w.up, b.normed, b.up.data(), hidden);
    worker.barrier();
    activate(s, worker, w, n);
    worker.barrier();
    quantize(s, worker, b.hidden);
    worker.barrier();
    product(worker, w.down, b.hidden, b.partial.data(), dim);
    worker.barrier();
    if (worker.is_main()) comm.allreduce(partial);
    worker.barrier();
    add_residual(s, worker, w.down_bias, n);
}

void output_logits(Transformer::State& s, Worker worker, std::span<const Row> rows) noexcept {
    std::size_t n_wanted = 0;
    for (std::size_t r = 0; r < rows.size(); ++r) {
        if (!rows[r].want_logits) continue;
        if (n_wanted % static_cast<std::size_t>(worker.count()) ==
            static_cast<std::size_t>(worker.index()))
            s.family.rms_norm(s.buffers.x.data() + r * s.h.dim, s.weights.final_norm.data(),
                              s.h.dim, s.h.norm_eps, s.buffers.normed.column(n_wanted));
        ++n_wanted;
    }
    if (worker.is_main()) s.buffers.normed.set_columns(n_wanted);
    worker.barrier();
    quantize(s, worker, s.buffers.normed);
    worker.barrier();
    product(worker, s.weights.output, s.buffers.normed, s.buffers.logits.data(),
            s.share.vocabulary.size());
}

} // namespace pillar::model
