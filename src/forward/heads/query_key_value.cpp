#include "heads/query_key_value.hpp"

#include "blocks/products.hpp"
#include "heads/rotated_heads.hpp"

#include <algorithm>

namespace pillar::forward {

namespace {

using kernels::Matrix;

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

/// The norm of a head, all of whose rows are one thread's, where the layer has one.
void normalise_head(const model::Model& model, std::span<const float> weight,
                    float* head) noexcept {
    if (!weight.empty())
        model.family.rms_norm(head, weight.data(), weight.size(), model.h.norm_eps, head);
}

} // namespace

void project_query_key_value(Workspace& ws, threads::Worker worker, std::size_t layer,
                             const MicroBatch& batch) noexcept {
    const model::Model& model = ws.model;
    const model::LayerWeights& w = model.weights.layers[layer];
    const kernels::Family& family = model.family;
    Buffers& b = ws.buffers;
    const bool is_joint = model.h.layers[layer].head_norm == model::HeadNorm::joint;
    const SharedPass& pass = ws.passes[layer].heads;
    const std::size_t n_heads = model.share.heads.size();
    const std::size_t head_dim = model.h.head_dim, q_dim = model.q_dim(), kv_dim = model.kv_dim();
    float* const all_q = b.q.data() + batch.begin * q_dim;
    float* const all_k = b.k.data() + batch.begin * kv_dim;
    float* const all_v = b.v.data() + batch.begin * kv_dim;
    const auto project = [&](std::size_t matrix, const Matrix& weights, float* y,
                             std::size_t y_stride) {
        const Range groups = pass.groups(matrix, worker.index());
        multiply(ws, worker, weights, batch.normed, y, y_stride, groups);
        return rows_of(weights, groups);
    };
    const Range query_rows = project(0, w.query, all_q, q_dim);
    const Range key_rows = project(1, w.key, all_k, kv_dim);
    const Range value_rows = project(2, w.value, all_v, kv_dim);

    for (std::size_t r = 0; r < batch.rows.size(); ++r) {
        ws.look_at_messages(worker);
        const RotatedHeads heads(ws, layer, batch, r);
        float* const squares =
            is_joint ? b.head_squares.data() + (batch.begin + r) * model.n_own_heads() : nullptr;
        float* const q = all_q + r * q_dim;
        float* const k = all_k + r * kv_dim;
        float* const v = all_v + r * kv_dim;
        add_bias(q, w.query_bias, query_rows);
        for_each_head(query_rows, head_dim,
                      [&](std::size_t head, std::size_t begin, std::size_t end) {
                          float* const at = q + head * head_dim;
                          if (is_joint) {
                              squares[head] = family.sum_of_squares(at, head_dim);
                              return;
                          }
                          normalise_head(model, w.query_norm, at);
                          heads.finish_query(at, begin, end);
                      });
        add_bias(k, w.key_bias, key_rows);
        for_each_head(key_rows, head_dim,
                      [&](std::size_t head, std::size_t begin, std::size_t end) {
                          float* const at = k + head * head_dim;
                          if (is_joint) {
                              squares[n_heads + head] = family.sum_of_squares(at, head_dim);
                              return;
                          }
                          normalise_head(model, w.key_norm, at);
                          heads.finish_key(at, head, begin, end);
                      });
        add_bias(v, w.value_bias, value_rows);
        for_each_head(value_rows, head_dim,
                      [&](std::size_t head, std::size_t begin, std::size_t end) {
                          heads.store_value(v + head * head_dim, head, begin, end);
                      });
    }
}

} // namespace pillar::forward
