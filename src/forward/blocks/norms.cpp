#include "blocks/norms.hpp"

#include "blocks/products.hpp"

#include <algorithm>

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
    case model::NormPlacement::around_block:
        return normalise(ws, batch.normed, weight, batch.begin + r, r);
    case model::NormPlacement::after_block: {
        const std::size_t dim = ws.model.h.dim;
        const float* const x = ws.buffers.x.data() + (batch.begin + r) * dim;
        std::copy_n(x, dim, batch.normed.column(r));
        if (!ws.model.family.float_activations)
            ws.model.family.quantize(batch.normed, r, 0, batch.normed.layout.n_blocks);
    }
    }
}

void add_residual(Workspace& ws, const BlockEnd& end, const MicroBatch& batch,
                  std::size_t r) noexcept {
    const model::Hyperparameters& h = ws.model.h;
    const std::size_t dim = h.dim;
    float* const sum = ws.partial_of(batch).data() + r * dim;
    add_bias(sum, end.bias, {0, dim});
    if (!end.norm.empty()) ws.model.family.rms_norm(sum, end.norm.data(), dim, h.norm_eps, sum);
    multiply_by(sum, h.residual_scale, dim);
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
