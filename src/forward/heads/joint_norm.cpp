#include "heads/joint_norm.hpp"

#include "heads/rotated_heads.hpp"

#include <cmath>

namespace pillar::forward {

namespace {

/// Squares of own heads [begin, end) in order of the heads.
float sum_of_heads(const float* squares, Range heads) noexcept {
    float sum = 0.0f;
    for (std::size_t head = heads.begin; head < heads.end; ++head) sum += squares[head];
    return sum;
}

/// KV heads whose first query head is one of these: each is one slice's.
Range first_read_by(Range heads, std::size_t group) noexcept {
    return {ceil_div(heads.begin, group), ceil_div(heads.end, group)};
}

Range own(Range range, std::size_t first) noexcept {
    return {range.begin - first, range.end - first};
}

/// The slices' tree: sums of slices [begin, end) of this rank, whose number is a power of two.
template <class SumOf>
float sum_of_slices(std::size_t begin, std::size_t end, const SumOf& sum_of) noexcept {
    if (end - begin == 1) return sum_of(begin);
    const std::size_t middle = begin + (end - begin) / 2;
    return sum_of_slices(begin, middle, sum_of) + sum_of_slices(middle, end, sum_of);
}

/// x[i] = (x[i] · r) · weight[i]: the end of rms_norm.
void scale(float* x, std::span<const float> weight, float r) noexcept {
    for (std::size_t i = 0; i < weight.size(); ++i) x[i] = (x[i] * r) * weight[i];
}

} // namespace

void add_up_squares(Workspace& ws, MicroBatch& batch) noexcept {
    const model::Model& model = ws.model;
    const partition::Share& share = model.share;
    const std::size_t group = model.h.n_heads / model.h.n_kv_heads;
    const std::size_t n_slices = share.slice_heads.size();
    float* const sums = ws.squares_of(batch).data();
    for (std::size_t r = 0; r < batch.rows.size(); ++r) {
        const float* const of_queries =
            ws.buffers.head_squares.data() + (batch.begin + r) * model.n_own_heads();
        const float* const of_keys = of_queries + share.heads.size();
        float* const sum = sums + r * squares_a_row;
        sum[0] = sum_of_slices(0, n_slices, [&](std::size_t s) {
            return sum_of_heads(of_queries, own(share.slice_heads[s], share.heads.begin));
        });
        sum[1] = sum_of_slices(0, n_slices, [&](std::size_t s) {
            const Range heads = first_read_by(share.slice_heads[s], group);
            return heads.empty() ? 0.0f : sum_of_heads(of_keys, own(heads, share.kv_heads.begin));
        });
    }
}

void normalise_all_heads(Workspace& ws, std::size_t layer, const MicroBatch& batch,
                         Range rows) noexcept {
    const model::Model& model = ws.model;
    const model::Hyperparameters& h = model.h;
    const model::LayerWeights& w = model.weights.layers[layer];
    const auto inverse_rms = [&](float sum, std::size_t n_heads) {
        const float mean = sum / static_cast<float>(n_heads * h.head_dim);
        return 1.0f / std::sqrt(mean + h.norm_eps);
    };
    for (std::size_t r = rows.begin; r < rows.end; ++r) {
        const RotatedHeads heads(ws, layer, batch, r);
        const float* const sum = ws.squares_of(batch).data() + r * squares_a_row;
        float* const q = ws.buffers.q.data() + (batch.begin + r) * model.q_dim();
        float* const k = ws.buffers.k.data() + (batch.begin + r) * model.kv_dim();
        scale(q, w.query_norm, inverse_rms(sum[0], h.n_heads));
        scale(k, w.key_norm, inverse_rms(sum[1], h.n_kv_heads));
        for (std::size_t head = 0; head < model.share.heads.size(); ++head)
            heads.finish_query(q + head * h.head_dim, 0, h.head_dim);
        for (std::size_t head = 0; head < model.share.kv_heads.size(); ++head)
            heads.finish_key(k + head * h.head_dim, head, 0, h.head_dim);
    }
}

} // namespace pillar::forward
