#include "blocks/norms.hpp"

#include "blocks/products.hpp"

namespace pillar::forward {

void normalise(Workspace& ws, kernels::Activations& normed, std::span<const float> weight,
               std::size_t r, std::size_t column) noexcept {
    const model::Hyperparameters& h = ws.model.h;
    const kernels::Family& family = ws.model.family;
    family.rms_norm(ws.buffers.x.data() + r * h.dim, weight.data(), h.dim, h.norm_eps,
                    normed.column(column));
    if (!family.float_activations) family.quantize(normed, column, 0, normed.layout.n_blocks);
}

void norm_before_block(Workspace& ws, std::size_t layer, std::span<const float> weight,
                       MicroBatch& batch, std::size_t r) noexcept {
    switch (ws.model.h.layers[layer].norms) {
    case model::NormPlacement::before_block:
        normalise(ws, batch.normed, weight, batch.begin + r, r);
    }
}

void add_residual(Workspace& ws, std::span<const float> bias, const MicroBatch& batch,
                  std::size_t r) noexcept {
    const std::size_t dim = ws.model.h.dim;
    float* const sum = ws.partial_of(batch).data() + r * dim;
    add_bias(sum, bias, {0, dim});
    ws.model.family.add(ws.buffers.x.data() + (batch.begin + r) * dim, sum, dim);
}

void start_layers(Workspace& ws, threads::Worker worker, MicroBatch& batch,
                  FunctionRef<void(Range)> prepare) noexcept {
    const std::size_t n_rows = batch.rows.size();
    const auto start = [&](Range rows) {
        prepare({batch.begin + rows.begin, batch.begin + rows.end});
        for (std::size_t r = rows.begin; r < rows.end; ++r)
            norm_before_block(ws, 0, ws.model.weights.layers[0].attention_norm, batch, r);
    };
    if (n_rows <= few_rows) {
        worker.serial([&] { start({0, n_rows}); });
    } else {
        start(worker.share(n_rows));
        worker.barrier();
    }
}

} // namespace pillar::forward
