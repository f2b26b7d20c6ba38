// The matrices by themselves: what they cost, and their products without the rest of a step.

#include "workspace.hpp"

#include "pillar/core/errors.hpp"

namespace pillar::forward {

namespace {

bool is_of_heads(model::Role role) noexcept {
    using enum model::Role;
    return role == query || role == key || role == value || role == attention_output;
}

} // namespace

StepCost step_cost(const model::WeightPlan& plan, const model::Hyperparameters& h,
                   const partition::Share& share, const kernels::Family& family,
                   kernels::CacheType cache_type) {
    StepCost cost;
    for (const model::MatrixPlan& matrix : plan.matrices) {
        const bool is_output = matrix.role == model::Role::output;
        const kernels::MatrixShape& shape = matrix.shape;
        const std::uint64_t n_bytes =
            shape.n_rows * shape.file_blocks().count * matrix.tensor->type->block_bytes;
        (is_output ? cost.output_bytes : cost.layer_bytes) += n_bytes;
        if (is_of_heads(matrix.role)) cost.heads_bytes += n_bytes;
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
    const model::Model& model = workspace_->model;
    return step_cost(model.plan, model.h, model.share, model.family,
                     workspace_->options.cache_type);
}

void Transformer::multiply_matrices(std::size_t n_rows) {
    Workspace& ws = *workspace_;
    const model::Model& model = ws.model;
    Buffers& b = ws.buffers;
    MicroBatch& all = ws.micro_batches[0];
    expects(n_rows > 0 && n_rows <= ws.options.max_rows, "there are buffers for the rows");
    for (kernels::Activations* x : {&all.normed, &all.attention, &all.hidden})
        x->set_columns(n_rows);
    ws.team.run([&](threads::Worker worker) {
        const auto multiply = [&](const kernels::Matrix& w, const kernels::Activations& x, float* y,
                                  std::size_t y_stride) {
            const threads::Range groups = worker.share(w.n_groups());
            kernels::multiply(w, x, y, y_stride, groups.begin, groups.end);
        };
        const std::size_t n_hidden = model.share.hidden.size();
        for (const model::LayerWeights& w : model.weights.layers) {
            multiply(w.query, all.normed, b.q.data(), model.q_dim());
            multiply(w.key, all.normed, b.k.data(), model.kv_dim());
            multiply(w.value, all.normed, b.v.data(), model.kv_dim());
            multiply(w.output, all.attention, b.partial.data(), model.h.dim);
            worker.barrier(); // the buffers' owners change
            multiply(w.gate, all.normed, b.up.data(), n_hidden);
            multiply(w.up, all.normed, b.up.data(), n_hidden);
            multiply(w.down, all.hidden, b.partial.data(), model.h.dim);
            worker.barrier();
        }
        if (n_rows == 1)
            multiply(model.weights.output, all.normed, b.logits.data(),
                     model.share.vocabulary.size());
    });
}

} // namespace pillar::forward
