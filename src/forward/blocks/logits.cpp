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
    multiply_share(ws, worker, ws.model.weights.output, normed, ws.buffers.logits.data(),
                   ws.model.share.vocabulary.size());
}

} // namespace pillar::forward
