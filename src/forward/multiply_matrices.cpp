// The products of a step without the rest of it, for measurements.

#include "workspace.hpp"

#include "pillar/core/errors.hpp"

namespace pillar::forward {

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
            const Range groups = worker.share(w.n_groups());
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
