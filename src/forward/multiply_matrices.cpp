// The products of a step without the rest of it, for measurements.

#include "experts/experts.hpp"
#include "workspace.hpp"

#include "pillar/core/errors.hpp"

namespace pillar::forward {

void Transformer::multiply_matrices(std::size_t n_rows) {
    Workspace& ws = *workspace_;
    const model::Model& model = ws.model;
    Buffers& b = ws.buffers;
    MicroBatch& all = ws.micro_batches[0];
    expects(n_rows > 0 && n_rows <= ws.options.max_rows, "there are buffers for the rows");
    const std::vector<Row> rows(n_rows);
    all.set_rows(rows, 0, n_rows);
    if (model.h.n_experts > 0) route_at_random(ws, all);
    ws.team.run([&](threads::Worker worker) {
        const auto multiply = [&](const kernels::Matrix& w, const kernels::Activations& x, float* y,
                                  std::size_t y_stride) {
            const Range groups = worker.share(w.n_groups());
            kernels::multiply(w, x, y, y_stride, groups.begin, groups.end);
        };
        const std::size_t n_hidden = model.share.hidden.size();
        for (std::size_t layer = 0; layer < model.h.n_layers; ++layer) {
            const model::LayerWeights& w = model.weights.layers[layer];
            multiply(w.query, all.normed, b.q.data(), model.q_dim());
            multiply(w.key, all.normed, b.k.data(), model.kv_dim());
            multiply(w.value, all.normed, b.v.data(), model.kv_dim());
            multiply(w.output, all.attention, b.partial.data(), model.h.dim);
            worker.barrier(); // the buffers' owners change
            if (model.h.n_experts > 0) {
                multiply(w.router, all.normed, ws.experts.scores.data(), model.h.n_experts);
                project_experts(ws, worker, layer);
                worker.barrier();
                add_up_experts(ws, worker, layer, all);
                worker.barrier();
                continue;
            }
            multiply(w.gate, all.normed, b.up.data(), n_hidden);
            multiply(w.up, all.normed, b.up.data(), n_hidden);
            multiply(w.down, all.hidden, b.partial.data(), model.h.dim);
            worker.barrier();
        }
        if (n_rows == 1)
            multiply(model.weights.output, all.normed, b.logits.data(),
                     model.share.vocabulary.size());
    });
    all.rows = {};
}

} // namespace pillar::forward
