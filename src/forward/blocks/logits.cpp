#include "blocks/logits.hpp"

#include "blocks/norms.hpp"
#include "blocks/products.hpp"

#include <algorithm>

namespace pillar::forward {

void output_logits(Workspace& ws, threads::Worker worker, std::span<const Row> rows) noexcept {
    const auto n_wanted = static_cast<std::size_t>(
        std::count_if(rows.begin(), rows.end(), [](const Row& row) { return row.want_logits; }));
    kernels::Activations& normed = ws.micro_batches[0].normed; // it has room for all rows
    // Row r goes to column `wanted`, the number of wanted rows before it.
    const auto normalise_wanted = [&](Range mine) {
        for (std::size_t r = 0, wanted = 0; r < rows.size(); ++r) {
            if (!rows[r].want_logits) continue;
            if (mine.begin <= wanted && wanted < mine.end)
                normalise(ws, normed, ws.model.weights.final_norm, r, wanted);
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
    if (ws.sums) ws.sums->add(Input::final_normed, 0, normed, worker);
    const kernels::Matrix& output = ws.model.weights.output;
    const std::size_t n_own = ws.model.share.vocabulary.size();
    const Range groups = worker.share(output.n_groups());
    multiply(ws, worker, output, normed, ws.buffers.logits.data(), n_own, groups);
    const model::Hyperparameters& h = ws.model.h;
    const Range mine = rows_of(output, groups);
    for (std::size_t r = 0; r < n_wanted; ++r) {
        float* const logits = ws.buffers.logits.data() + r * n_own + mine.begin;
        multiply_by(logits, h.logit_scale, mine.size());
        if (h.logit_cap > 0) ws.model.family.soft_cap(logits, mine.size(), h.logit_cap);
    }
}

} // namespace pillar::forward
