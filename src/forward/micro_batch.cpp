#include "micro_batch.hpp"

#include "attention.hpp"
#include "kv_caches.hpp"

#include "pillar/model/slices.hpp"

namespace pillar::forward {

namespace {

using kernels::ActivationLayout;
using kernels::Activations;

/// Layouts of the three activations.
ActivationLayout normed_layout(const model::Hyperparameters& h) {
    const kernels::Slice slice{0, h.dim};
    return ActivationLayout(std::span(&slice, 1));
}
ActivationLayout attention_layout(const model::Hyperparameters& h, const partition::Share& share) {
    return ActivationLayout(model::head_slices(share, h.head_dim));
}
ActivationLayout hidden_layout(const partition::Share& share) {
    return ActivationLayout(model::hidden_slices(share));
}

AttentionPlan::Shape plan_shape(const model::Hyperparameters& h, const partition::Share& share,
                                std::size_t max_rows, int n_threads, std::size_t window) {
    return {.n_kv_heads = share.kv_heads.size(),
            .tile_rows = tile_rows(h),
            .max_rows = max_rows,
            .own_blocks = h.head_dim % kernels::block_size == 0,
            .n_threads = n_threads,
            .window = window};
}

std::vector<AttentionPlan> attention_plans(const model::Model& model, std::size_t max_rows,
                                           int n_threads) {
    std::vector<AttentionPlan> plans;
    for (const std::size_t window : window_lengths(model.h))
        plans.emplace_back(plan_shape(model.h, model.share, max_rows, n_threads, window));
    return plans;
}

/// Rows that the hidden activations of one feed-forward have room for; experts have their own.
std::size_t hidden_rows(const model::Hyperparameters& h, std::size_t max_rows) {
    return h.n_experts > 0 ? 0 : max_rows;
}

} // namespace

MicroBatch::MicroBatch(const model::Model& model, std::size_t max_rows, int n_threads)
    : normed(normed_layout(model.h), max_rows, model.family.panel_columns),
      attention(attention_layout(model.h, model.share), max_rows, model.family.panel_columns),
      hidden(hidden_layout(model.share), hidden_rows(model.h, max_rows),
             model.family.panel_columns),
      plans(attention_plans(model, max_rows, n_threads)) {}

std::size_t MicroBatch::size_bytes(const model::Hyperparameters& h, const partition::Share& share,
                                   std::size_t max_rows, int n_threads) {
    return window_lengths(h).size() *
               AttentionPlan::size_bytes(plan_shape(h, share, max_rows, n_threads, 0)) +
           Activations::size_bytes(normed_layout(h), max_rows) +
           Activations::size_bytes(attention_layout(h, share), max_rows) +
           Activations::size_bytes(hidden_layout(share), hidden_rows(h, max_rows));
}

void MicroBatch::assign_work(const model::Model& model, int n_threads) {
    plans = attention_plans(model, normed.max_columns, n_threads);
}

void MicroBatch::set_rows(std::span<const Row> all, std::size_t first, std::size_t end) {
    begin = first;
    rows = all.subspan(first, end - first);
    for (Activations* x : {&normed, &attention}) x->set_columns(rows.size());
    if (hidden.max_columns > 0) hidden.set_columns(rows.size());
    for (AttentionPlan& plan : plans) plan.make(rows);
}

} // namespace pillar::forward
