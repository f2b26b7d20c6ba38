#include "blocks/feed_forward.hpp"

#include "blocks/products.hpp"

#include <algorithm>

namespace pillar::forward {

using kernels::block_size;

void apply_gate(const kernels::Family& family, model::Activation activation, float* gate,
                const float* up, Range range) noexcept {
    switch (activation) {
    case model::Activation::silu:
        return family.swiglu(gate + range.begin, up + range.begin, range.size(),
                             gate + range.begin);
    case model::Activation::gelu_tanh:
        return family.geglu(gate + range.begin, up + range.begin, range.size(), gate + range.begin);
    case model::Activation::silu_clamped:
        return family.swiglu_clamped(gate + range.begin, up + range.begin, 1.702f, 7.0f,
                                     range.size(), gate + range.begin);
    }
}

void project_gate_and_up(Workspace& ws, threads::Worker worker, std::size_t layer,
                         MicroBatch& batch) noexcept {
    const model::Model& model = ws.model;
    const model::LayerWeights& w = model.weights.layers[layer];
    const std::size_t n_hidden = model.share.hidden.size();
    kernels::Activations& hidden = batch.hidden;
    const Range units = ws.passes[layer].feed_forward.groups(0, worker.index());
    const Range columns{std::min(units.begin * block_size, n_hidden),
                        std::min(units.end * block_size, n_hidden)};
    const auto project = [&](const kernels::Matrix& weights, float* y, std::size_t y_stride) {
        const std::size_t rows = weights.family().rows_per_group(weights.shape().type);
        multiply(ws, worker, weights, batch.normed, y, y_stride,
                 {columns.begin / rows, (columns.end + rows - 1) / rows});
    };
    float* const all_up = ws.buffers.up.data() + batch.begin * n_hidden;
    project(w.gate, hidden.x.data(), hidden.x_stride);
    project(w.up, all_up, n_hidden);
    for (std::size_t r = 0; r < batch.rows.size() && columns.size() > 0; ++r) {
        ws.look_at_messages(worker);
        float* const gate = hidden.column(r);
        float* const up = all_up + r * n_hidden;
        add_bias(gate, w.gate_bias, columns);
        add_bias(up, w.up_bias, columns);
        apply_gate(model.family, model.h.layers[layer].activation, gate, up, columns);
        if (!model.family.float_activations)
            model.family.quantize(hidden, r, units.begin, units.end);
    }
}

} // namespace pillar::forward
