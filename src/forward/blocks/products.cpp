// The matrices by themselves: what they cost, and their products without the rest of a step.

#include "forward_state.hpp"

#include "pillar/core/errors.hpp"

namespace pillar::forward {

namespace {

bool is_of_heads(kernels::Matrix model::LayerWeights::*member) noexcept {
    return member == &model::LayerWeights::query || member == &model::LayerWeights::key ||
           member == &model::LayerWeights::value || member == &model::LayerWeights::output;
}

} // namespace

StepCost step_cost(const model::WeightPlan& plan, const model::Hyperparameters& h,
                   const partition::Share& share, const kernels::Family& family,
                   kernels::CacheType cache_type) {
    StepCost cost;
    for (const model::MatrixPlan& matrix : plan.matrices) {
        const bool is_output = matrix.member == nullptr;
        const kernels::MatrixShape& shape = matrix.shape;
        const std::uint64_t n_bytes =
            shape.n_rows * shape.file_blocks().count * matrix.tensor->type->block_bytes;
        (is_output ? cost.output_bytes : cost.layer_bytes) += n_bytes;
        if (is_of_heads(matrix.member)) cost.heads_bytes += n_bytes;
        if (quant::is_float(shape.type) || family.float_activations) continue;
        std::uint64_t n_columns = 0;
        for (const kernels::Slice& slice : shape.slices) n_columns += slice.end - slice.begin;
        (is_output ? cost.output_macs : cost.layer_macs) += shape.n_rows * n_columns;
    }
    cost.kv_bytes = h.n_layers * share.kv_heads.size() * 2 *
                    kernels::page_bytes(cache_type, h.head_dim) / kernels::page_positions;
    return cost;
}

StepCost Transformer::cost() const noexcept {
    const State& s = *state_;
    return step_cost(s.plan, s.h, s.share, s.family, s.cache.type());
}

void Transformer::multiply_matrices(std::size_t n_rows) {
    State& s = *state_;
    Buffers& b = s.buffers;
    Half& all = s.halves[0];
    expects(n_rows > 0 && n_rows <= s.options.max_rows, "there are buffers for the rows");
    for (kernels::Activations* x : {&all.normed, &all.attention, &all.hidden})
        x->set_columns(n_rows);
    s.team.run([&](threads::Worker worker) {
        const auto multiply = [&](const kernels::Matrix& w, const kernels::Activations& x, float* y,
                                  std::size_t y_stride) {
            const Range groups = worker.share(w.n_groups());
            kernels::multiply(w, x, y, y_stride, groups.begin, groups.end);
        };
        const std::size_t hidden = s.share.hidden.size();
        for (const model::LayerWeights& w : s.weights.layers) {
            multiply(w.query, all.normed, b.q.data(), s.q_dim());
            multiply(w.key, all.normed, b.k.data(), s.kv_dim());
            multiply(w.value, all.normed, b.v.data(), s.kv_dim());
            multiply(w.output, all.attention, b.partial.data(), s.h.dim);
            worker.barrier(); // the buffers' owners change
            multiply(w.gate, all.normed, b.up.data(), hidden);
            multiply(w.up, all.normed, b.up.data(), hidden);
            multiply(w.down, all.hidden, b.partial.data(), s.h.dim);
            worker.barrier();
        }
        if (n_rows == 1)
            multiply(s.weights.output, all.normed, b.logits.data(), s.share.vocabulary.size());
    });
}

} // namespace pillar::forward
