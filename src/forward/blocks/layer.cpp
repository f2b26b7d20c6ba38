// One transformer layer as one rank computes it. Every thread runs these lines; a barrier stands
// wherever the next step reads what other threads have written. What a product is followed by
// (rotation, the gate, quantisation) is done by the thread that has the rows, so that it needs no
// barrier of its own.

#include "forward_state.hpp"

#include <algorithm>

namespace pillar::forward {

namespace {

using kernels::Activations;
using kernels::block_size;
using kernels::Matrix;
using threads::Worker;

/// Multiplications between two looks at messages under way: half a millisecond of a small core.
constexpr std::size_t macs_a_piece = std::size_t{4} << 20;
/// The same where none is under way, but others may ask whether this rank is alive: a few
/// milliseconds, a tenth of a second with plain kernels.
constexpr std::size_t macs_between_heartbeats = std::size_t{32} << 20;

/// y = W · x for row groups [begin, end).
void multiply(const Transformer::State& s, Worker worker, const Matrix& w, const Activations& x,
              float* y, std::size_t y_stride, Range groups) noexcept {
    const std::size_t a_group =
        w.family().rows_per_group(w.shape().type) * x.layout.length * x.n_columns();
    // A rank beyond the heads has rows of no length: nothing to multiply, zeros to write.
    if (!worker.is_main() || s.comm == nullptr || a_group == 0)
        return kernels::multiply(w, x, y, y_stride, groups.begin, groups.end);
    const std::size_t a_piece = s.is_moving ? macs_a_piece : macs_between_heartbeats;
    const std::size_t n = std::max<std::size_t>(1, a_piece / a_group);
    for (std::size_t begin = groups.begin; begin < groups.end; begin += n) {
        kernels::multiply(w, x, y, y_stride, begin, std::min(begin + n, groups.end));
        s.look_at_messages(worker);
    }
}

/// The same for this thread's share of all groups.
void product(const Transformer::State& s, Worker worker, const Matrix& w, const Activations& x,
             float* y, std::size_t y_stride) noexcept {
    multiply(s, worker, w, x, y, y_stride, worker.share(w.n_groups()));
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
                   const Half& half) noexcept {
    const model::LayerWeights& w = s.weights.layers[layer];
    Buffers& b = s.buffers;
    const SharedPass& pass = s.passes[layer].heads;
    const std::size_t head_dim = s.h.head_dim, q_dim = s.q_dim(), kv_dim = s.kv_dim();
    float* const all_q = b.q.data() + half.begin * q_dim;
    float* const all_k = b.k.data() + half.begin * kv_dim;
    float* const all_v = b.v.data() + half.begin * kv_dim;
    const auto project = [&](std::size_t matrix, const Matrix& weights, float* y,
                             std::size_t y_stride) {
        const Range groups = pass.groups(matrix, worker.index());
        multiply(s, worker, weights, half.normed, y, y_stride, groups);
        return rows_of(weights, groups);
    };
    const Range query_rows = project(0, w.query, all_q, q_dim);
    const Range key_rows = project(1, w.key, all_k, kv_dim);
    const Range value_rows = project(2, w.value, all_v, kv_dim);

    for (std::size_t r = 0; r < half.rows.size(); ++r) {
        s.look_at_messages(worker);
        const std::int32_t sequence = half.rows[r].sequence;
        const auto position = static_cast<std::size_t>(half.rows[r].position);
        const std::size_t page = position / kernels::page_positions;
        const std::size_t slot = position % kernels::page_positions;
        float* const q = all_q + r * q_dim;
        float* const k = all_k + r * kv_dim;
        float* const v = all_v + r * kv_dim;
        add_bias(q, w.query_bias, query_rows);
        for_each_head(query_rows, head_dim,
                      [&](std::size_t head, std::size_t begin, std::size_t end) {
                          rotate(s, half.begin + r, q + head * head_dim, begin, end);
                      });
        add_bias(k, w.key_bias, key_rows);
        for_each_head(
            key_rows, head_dim, [&](std::size_t head, std::size_t begin, std::size_t end) {
                rotate(s, half.begin + r, k + head * head_dim, begin, end);
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
void feed_forward(Transformer::State& s, Worker worker, std::size_t layer, Half& half) noexcept {
    const model::LayerWeights& w = s.weights.layers[layer];
    Activations& hidden = half.hidden;
    const Range units = s.passes[layer].feed_forward.groups(0, worker.index());
    const Range columns{std::min(units.begin * block_size, s.share.hidden.size()),
                        std::min(units.end * block_size, s.share.hidden.size())};
    const auto project = [&](const Matrix& weights, float* y, std::size_t y_stride) {
        const std::size_t rows = weights.family().rows_per_group(weights.shape().type);
        multiply(s, worker, weights, half.normed, y, y_stride,
                 {columns.begin / rows, (columns.end + rows - 1) / rows});
    };
    const std::size_t up_stride = s.share.hidden.size();
    float* const all_up = s.buffers.up.data() + half.begin * up_stride;
    project(w.gate, hidden.x.data(), hidden.x_stride);
    project(w.up, all_up, up_stride);
    for (std::size_t r = 0; r < half.rows.size() && columns.size() > 0; ++r) {
        s.look_at_messages(worker);
        float* const gate = hidden.column(r);
        float* const up = all_up + r * up_stride;
        add_bias(gate, w.gate_bias, columns);
        add_bias(up, w.up_bias, columns);
        s.family.swiglu(gate + columns.begin, up + columns.begin, columns.size(),
                        gate + columns.begin);
        if (!s.family.float_activations) s.family.quantize(hidden, r, units.begin, units.end);
    }
}

/// normed[column] = rms_norm of the residual of row r of the step, quantised.
void normalise(Transformer::State& s, Activations& normed, std::span<const float> weight,
               std::size_t r, std::size_t column) noexcept {
    s.family.rms_norm(s.buffers.x.data() + r * s.h.dim, weight.data(), s.h.dim, s.h.norm_eps,
                      normed.column(column));
    if (!s.family.float_activations) s.family.quantize(normed, column, 0, normed.layout.n_blocks);
}

} // namespace

std::span<float> partial_of(Transformer::State& s, const Half& half) noexcept {
    return s.buffers.partial.span().subspan(half.begin * s.h.dim, half.rows.size() * s.h.dim);
}

void compute_block(Transformer::State& s, Worker worker, Block block, std::size_t layer,
                   Half& half) noexcept {
    const model::LayerWeights& w = s.weights.layers[layer];
    float* const partial = partial_of(s, half).data();
    if (block == Block::attention) {
        project_heads(s, worker, layer, half);
        worker.barrier();
        attend(s, worker, layer, half);
        worker.barrier();
        if (must_join_attention(s, half)) {
            join_attention(s, worker, half);
            worker.barrier();
        }
        product(s, worker, w.output, half.attention, partial, s.h.dim);
    } else {
        feed_forward(s, worker, layer, half);
        worker.barrier();
        product(s, worker, w.down, half.hidden, partial, s.h.dim);
    }
}

void add_and_normalise(Transformer::State& s, Block block, std::size_t layer, Half& half,
                       Range rows) noexcept {
    const model::LayerWeights& w = s.weights.layers[layer];
    const bool is_attention = block == Block::attention;
    const std::span<const float> bias = is_attention ? w.output_bias : w.down_bias;
    std::span<const float> next_norm;
    if (is_attention)
        next_norm = w.feed_forward_norm;
    else if (layer + 1 < s.h.n_layers)
        next_norm = s.weights.layers[layer + 1].attention_norm;
    const std::size_t dim = s.h.dim;
    for (std::size_t r = rows.begin; r < rows.end; ++r) {
        float* const sum = partial_of(s, half).data() + r * dim;
        add_bias(sum, bias, {0, dim});
        s.family.add(s.buffers.x.data() + (half.begin + r) * dim, sum, dim);
        if (!next_norm.empty()) normalise(s, half.normed, next_norm, half.begin + r, r);
    }
}

std::size_t allreduces_a_layer(std::size_t n_rows, int n_ranks) noexcept {
    return blocks_a_layer * (first_half(n_rows, n_ranks) < n_rows ? 2 : 1);
}

std::size_t barriers_a_layer(std::size_t n_rows, int n_ranks) noexcept {
    // After query, key, value; after attention; after gate and up; the two all-reduces; of many
    // rows two more, after the norms.
    if (n_rows <= few_rows) return 5;
    return first_half(n_rows, n_ranks) < n_rows ? 14 : 7;
}

void compute_layer(Transformer::State& s, Worker worker, comm::Communicator& comm,
                   std::size_t layer, Half& half) noexcept {
    const std::size_t n = half.rows.size();
    // The residual and norm of a few rows are not worth a barrier: the main thread does them while
    // the others wait for the all-reduce.
    const bool is_few = n <= few_rows;
    const auto end_block = [&](Block block) {
        if (is_few) return;
        add_and_normalise(s, block, layer, half, worker.share(n));
        worker.barrier();
    };

    compute_block(s, worker, Block::attention, layer, half);
    worker.serial([&] {
        comm.allreduce(partial_of(s, half));
        if (is_few) add_and_normalise(s, Block::attention, layer, half, {0, n});
    });
    end_block(Block::attention);

    compute_block(s, worker, Block::feed_forward, layer, half);
    worker.serial([&] {
        comm.allreduce(partial_of(s, half));
        if (is_few) add_and_normalise(s, Block::feed_forward, layer, half, {0, n});
    });
    end_block(Block::feed_forward);
}

void start_layers(Transformer::State& s, Worker worker, Half& half,
                  FunctionRef<void(Range)> prepare) noexcept {
    const std::size_t n_rows = half.rows.size();
    const auto start = [&](Range rows) {
        prepare({half.begin + rows.begin, half.begin + rows.end});
        for (std::size_t r = rows.begin; r < rows.end; ++r)
            normalise(s, half.normed, s.weights.layers[0].attention_norm, half.begin + r, r);
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
    Activations& normed = s.halves[0].normed; // it has room for all rows
    // Row r goes to column `wanted`, the number of wanted rows before it.
    const auto normalise_wanted = [&](Range mine) {
        for (std::size_t r = 0, wanted = 0; r < rows.size(); ++r) {
            if (!rows[r].want_logits) continue;
            if (mine.begin <= wanted && wanted < mine.end)
                normalise(s, normed, s.weights.final_norm, r, wanted);
            ++wanted;
        }
    };
    const bool is_few = n_wanted <= few_rows;
    worker.serial([&] {
        normed.set_columns(n_wanted);
        if (is_few) normalise_wanted({0, n_wanted});
    });
    if (!is_few) {
        normalise_wanted(worker.share(n_wanted));
        worker.barrier();
    }
    product(s, worker, s.weights.output, normed, s.buffers.logits.data(),
            s.share.vocabulary.size());
}

} // namespace pillar::forward
