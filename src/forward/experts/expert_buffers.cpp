#include "experts/expert_buffers.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/model/slices.hpp"

#include <algorithm>
#include <bit>

namespace pillar::forward {

namespace {

using kernels::ActivationLayout;
using kernels::Activations;

ActivationLayout gathered_layout(const model::Hyperparameters& h) {
    const kernels::Slice slice{0, h.dim};
    return ActivationLayout(std::span(&slice, 1));
}
ActivationLayout hidden_layout(const partition::Share& share) {
    return ActivationLayout(model::hidden_slices(share));
}

/// Slices whose sums wait while another's is made: one for each level of the tree below its root.
std::size_t n_waiting(std::size_t n_slices) {
    return static_cast<std::size_t>(std::bit_width(n_slices) - 1);
}

/// Whether products with the gathered rows take their floats.
bool takes_floats(const model::WeightPlan& plan, const kernels::Family& family) {
    return family.float_activations ||
           std::ranges::any_of(plan.matrices, [](const model::MatrixPlan& matrix) {
               const bool is_first =
                   matrix.role == model::Role::expert_gate || matrix.role == model::Role::expert_up;
               return is_first && quant::is_float(matrix.shape.type);
           });
}

Activations gathered_rows(const model::Model& model, std::size_t n_columns) {
    const ActivationLayout layout = gathered_layout(model.h);
    const std::size_t panel = model.family.panel_columns;
    if (takes_floats(model.plan, model.family)) return {layout, n_columns, panel};
    return {Activations::OnlyBlocks(), layout, n_columns, panel};
}

} // namespace

ExpertBuffers::Views::Views(const Activations& all_gathered, const Activations& all_hidden)
    : gathered(all_gathered, all_gathered.layout), hidden(all_hidden, all_hidden.layout) {
    for (std::size_t s = 0; s < all_hidden.layout.slices.size(); ++s)
        slices.emplace_back(all_hidden, all_hidden.layout.of_slice(s));
}

ExpertBuffers::ExpertBuffers(const model::Model& model, std::size_t max_rows, int n_threads)
    : scores(max_rows * model.h.n_experts), choices(max_rows * model.h.n_experts_used),
      groups(model.h.n_experts, model.h.n_experts_used, max_rows),
      gathered(gathered_rows(model, choices.size())),
      hidden(hidden_layout(model.share), choices.size(), model.family.panel_columns),
      up(choices.size() * model.share.hidden.size()) {
    if (model.h.n_experts == 0) return;
    for (const model::MatrixPlan& matrix : model.plan.matrices)
        if (model::is_of_experts(matrix.role))
            expects(kernels::block_size % model.family.rows_per_group(matrix.shape.type) == 0,
                    "a block of 32 hidden columns is whole groups of rows");
    results = AlignedBuffer<float>((1 + max_rows) * model.h.dim);
    for (std::size_t i = 0; i < n_waiting(model.share.slice_hidden.size()); ++i)
        slice_sums.emplace_back(max_rows * model.h.dim);
    for (int t = 0; t < n_threads; ++t) views.emplace_back(gathered, hidden);
}

std::size_t ExpertBuffers::size_bytes(const model::Hyperparameters& h,
                                      const partition::Share& share, const model::WeightPlan& plan,
                                      const kernels::Family& family, std::size_t max_rows) {
    if (h.n_experts == 0) return 0;
    const std::size_t n_columns = max_rows * h.n_experts_used;
    const std::size_t sums = 1 + n_waiting(share.slice_hidden.size());
    const std::size_t floats =
        max_rows * h.n_experts + n_columns * share.hidden.size() + (1 + sums * max_rows) * h.dim;
    return floats * sizeof(float) + n_columns * sizeof(ChosenExpert) +
           ExpertGroups::size_bytes(h.n_experts, h.n_experts_used, max_rows) +
           Activations::size_bytes(gathered_layout(h), n_columns, takes_floats(plan, family)) +
           Activations::size_bytes(hidden_layout(share), n_columns, true);
}

} // namespace pillar::forward
