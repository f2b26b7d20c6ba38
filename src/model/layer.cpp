// One transformer layer as one rank computes it. Every thread runs these lines; a barrier stands
// wherever the next step reads what other threads have written. What a product is followed by
// (rotation, the gate, quantisation) is done by the thread that has the rows, so that it needs no
// barrier of its own.

#include "forward_state.hpp"

#include <algorithm>

namespace pillar::model {

namespace {

using kernels::Activations;
using kernels::block_size;
using kernels::Matrix;
using threads::Range;
using threads::Worker;

/// y = W · x for this thread's share of the row groups.
void product(Worker worker, const Matrix& w, const Activations& x, float* y,
             std::size_t y_stride) noexcept {
    const Range groups = worker.share(w.n_groups());
    kernels::multiply(w, x, y, y_stride, groups.begin, groups.end);
}

/// Rows of a matrix that groups [begin, end) hold.
Range rows_of(const Matrix& w, Range groups) noexcept {
    const std::size_t rows = w.family().rows_per_group(w.shape().type);
    return {std::min(groups.begin * rows, w.shape().n_rows),
            std::min(groups.end * rows, w.shape().n_rows)};
}

void add_bias(float* values, std::span<const float> bias, Range range) noexcept {
    if (bias.empty()) return;
    for (std::size_t i = range.begin; i < range.end; ++i) values[i] += bias[i];
}

/// `body(head, begin, end)` for the parts of heads, dimensions [begin, end), that rows of a
/// projection are.
template <class Body>
void for_each_head(Range rows, std::size_t head_dim, const Body& body) noexcept {
    for (std::size_t row = rows.begin; row < rows.end;) {
        const std::size_t head = row / head_dim, begin = row % head_dim;
        const std::size_t end = std::min(head_dim, begin + (rows.end - row));
        body(head, begin, end);
        row += end - begin;
    }
}

/// Rotate dimensions [begin, end) of a head, whole pairs, by the angles of row r.
void rotate(Transformer::State& s, std::size_t r, float* head, std::size_t begin,
            std::size_t end) noexcept {
    const std::size_t n_pairs = s.rope.n_pairs(), first = begin / 2;
    const std::size_t last = std::min(end / 2, n_pairs);
    if (first >= last) return;
    s.family.rope(head + begin, s.buffers.cosine.data() + r * n_pairs + first,
                  s.buffers.sine.data() + r * n_pairs + first, last - first);
}

/// Query, key and value of own heads, in one pass: this thread's rows of the three, with biases and
/// rotation; keys and values go to the cache.
void project_heads(Transformer::State& s, Worker worker, std::size_t layer,
                   std::span<const Row> rows) noexcept {
    const LayerWeights& w = s.weights.layers[layer];
    Buffers& b = s.buffers;
    const SharedPass& pass = s.passes[layer].heads;
    const std::size_t head_dim = s.h.head_dim, q_dim = s.q_dim(), kv_dim = s.kv_dim();
    const auto multiply = [&](std::size_t matrix, const Matrix& weights, float* y,
                              std::size_t y_stride) {
        const Range groups = pass.groups(matrix, worker.index());
        kernels::multiply(weights, b.normed, y, y_stride, groups.begin, groups.end);
        return rows_of(weights, groups);
    };
    const Range query_rows = multiply(0, w.query, b.q.data(), q_dim);
    const Range key_rows = multiply(1, w.key, b.k.data(), kv_dim);
    const Range value_rows = multiply(2, w.value, b.v.data(), kv_dim);

    for (std::size_t r = 0; r < rows.size(); ++r) {
        const std::int32_t sequence = rows[r].sequence;
        const auto position = static_cast<std::size_t>(rows[r].position);
        const std::size_t page = position / kernels::page_positions;
        const std::size_t slot = position % kernels::page_positions;
        float* const q = b.q.data() + r * q_dim;
        float* const k = b.k.data() + r * kv_dim;
        float* const v = b.v.data() + r * kv_dim;
        add_bias(q, w.query_bias, query_rows);
        for_each_head(query_rows, head_dim,
                      [&](std::size_t head, std::size_t begin, std::size_t end) {
                          rotate(s, r, q + head * head_dim, begin, end);
                      });
        add_bias(k, w.key_bias, key_rows);
        for_each_head(
            key_rows, head_dim, [&](std::size_t head, std::size_t begin, std::size_t end) {
                rotate(s, r, k + head * head_dim, begin, end);
                s.family.store_key(k + head * head_dim, s.cache.keys(sequence, page, layer, head),
                                   s.cache.type(), head_dim, slot, begin, end);
            });
        add_bias(v, w.value_bias, value_rows);
        for_each_head(value_rows, head_dim,
                      [&](std::size_t head, std::size_t begin, std::size_t end) {
                          s.family.store_value(v + head * head_dim,
                                               s.cache.values(sequence, page, layer, head),
                                               s.cache.type(), head_dim, slot, begin, end);
                      });
    }
}

/// Gate and up in one pass, then silu(gate + bias) · (up + bias) as int8 blocks: this thread's
/// units of 32 hidden columns.
void feed_forward(Transformer::State& s, Worker worker, std::size_t layer,
                  std::size_t n_rows) noexcept {
    const LayerWeights& w = s.weights.layers[layer];
    Activations& hidden = s.buffers.hidden;
    const Range units = s.passes[layer].feed_forward.groups(0, worker.index());
    const Range columns{std::min(units.begin * block_size, s.share.hidden.size()),
                        std::min(units.end * block_size, s.share.hidden.size())};
    const auto multiply = [&](const Matrix& weights, float* y, std::size_t y_stride) {
        const std::size_t rows = weights.family().rows_per_group(weights.shape().type);
        kernels::multiply(weights, s.buffers.normed, y, y_stride, columns.begin / rows,
                          (columns.end + rows - 1) / rows);
    };
    const std::size_t up_stride = s.share.hidden.size();
    multiply(w.gate, hidden.x.data(), hidden.x_stride);
    multiply(w.up, s.buffers.up.data(), up_stride);
    for (std::size_t r = 0; r < n_rows && columns.size() > 0; ++r) {
        float* const gate = hidden.column(r);
        float* const up = s.buffers.up.data() + r * up_stride;
        add_bias(gate, w.gate_bias, columns);
        add_bias(up, w.up_bias, columns);
        s.family.swiglu(gate + columns.begin, up + columns.begin, columns.size(),
                        gate + columns.begin);
        if (!s.family.float_activations) s.family.quantize(hidden, r, units.begin, units.end);
    }
}

/// normed[column] = rms_norm of the residual of row r, quantised.
void normalise(Transformer::State& s, std::span<const float> weight, std::size_t r,
               std::size_t column) noexcept {
    Activations& normed = s.buffers.normed;
    s.family.rms_norm(s.buffers.x.data() + r * s.h.dim, weight.data(), s.h.dim, s.h.norm_eps,
                      normed.column(column));
    if (!s.family.float_activations) s.family.quantize(normed, column, 0, normed.layout.n_blocks);
}

/// Residual, x += the reduced sum + bias, and the norm that comes next (none after the last layer),
/// of some rows.
void add_and_normalise(Transformer::State& s, std::span<const float> bias,
                       std::span<const float> next_norm, Range rows) noexcept {
    const std::size_t dim = s.h.dim;
    for (std::size_t r = rows.begin; r < rows.end; ++r) {
        float* const sum = s.buffers.partial.data() + r * dim;
        add_bias(sum, bias, {0, dim});
        s.family.add(s.buffers.x.data() + r * dim, sum, dim);
        if (!next_norm.empty()) normalise(s, next_norm, r, r);
    }
}

} // namespace

void compute_layer(Transformer::State& s, Worker worker, comm::Communicator& comm,
                   std::size_t layer, std::span<const Row> rows) noexcept {
    const LayerWeights& w = s.weights.layers[layer];
    Buffers& b = s.buffers;
    const std::size_t n = rows.size(), dim = s.h.dim;
    const std::span<float> partial = b.partial.span().first(n * dim);
    const std::span<const float> next_norm = layer + 1 < s.h.n_layers
                                                 ? s.weights.layers[layer + 1].attention_norm
                                                 : std::span<const float>();
    // The residual and norm of a few rows are not worth a barrier: the main thread does them while
    // the others wait for the all-reduce.
    const Range by_main{0, n <= few_rows ? n : 0};
    const auto share_rows = [&](std::span<const float> bias, std::span<const float> norm) {
        if (n <= few_rows) return;
        add_and_normalise(s, bias, norm, worker.share(n));
        worker.barrier();
    };

    // Attention block.
    project_heads(s, worker, layer, rows);
    worker.barrier();
    attend(s, worker, layer, rows);
    worker.barrier();
    if (must_join_attention(s, n)) {
        join_attention(s, worker, n);
        worker.barrier();
    }
    product(worker, w.output, b.attention, b.partial.data(), dim);
    worker.serial([&] {
        comm.allreduce(partial);
        add_and_normalise(s, w.output_bias, w.feed_forward_norm, by_main);
    });
    share_rows(w.output_bias, w.feed_forward_norm);

    // Feed-forward block.
    feed_forward(s, worker, layer, n);
    worker.barrier();
    product(worker, w.down, b.hidden, b.partial.data(), dim);
    worker.serial([&] {
        comm.allreduce(partial);
        add_and_normalise(s, w.down_bias, next_norm, by_main);
    });
    share_rows(w.down_bias, next_norm);
}

void start_layers(Transformer::State& s, Worker worker, std::size_t n_rows,
                  FunctionRef<void(Range)> prepare) noexcept {
    const auto start = [&](Range rows) {
        prepare(rows);
        for (std::size_t r = rows.begin; r < rows.end; ++r)
            normalise(s, s.weights.layers[0].attention_norm, r, r);
    };
    if (n_rows <= few_rows) {
        worker.serial([&] { start({0, n_rows}); });
    } else {
        start(worker.share(n_rows));
        worker.barrier();
    }
}

void output_logits(Transformer::State& s, Worker worker, std::span<const Row> rows) noexcept {
    const auto n_wanted = static_cast<std::size_t>(
        std::count_if(rows.begin(), rows.end(), [](const Row& row) { return row.want_logits; }));
    // Row r goes to column `wanted`, the number of wanted rows before it.
    const auto normalise_wanted = [&](Range mine) {
        for (std::size_t r = 0, wanted = 0; r < rows.size(); ++r) {
            if (!rows[r].want_logits) continue;
            if (mine.begin <= wanted && wanted < mine.end)
                normalise(s, s.weights.final_norm, r, wanted);
            ++wanted;
        }
    };
    const bool is_few = n_wanted <= few_rows;
    worker.serial([&] {
        s.buffers.normed.set_columns(n_wanted);
        if (is_few) normalise_wanted({0, n_wanted});
    });
    if (!is_few) {
        normalise_wanted(worker.share(n_wanted));
        worker.barrier();
    }
    product(worker, s.weights.output, s.buffers.normed, s.buffers.logits.data(),
            s.share.vocabulary.size());
}

} // namespace pillar::model
