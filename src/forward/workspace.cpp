// Allocation of what the forward pass works on, and how much it will be.

#include "workspace.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/forward/micro_batches.hpp"

namespace pillar::forward {

namespace {

/// Rows that each micro-batch must have room for: the first one may be the whole step.
std::vector<std::size_t> micro_batch_rows(const TransformerOptions& options, int n_ranks) {
    std::vector<std::size_t> rows = {options.max_rows};
    if (first_micro_batch(options.max_rows, n_ranks) < options.max_rows)
        rows.push_back(options.max_rows / 2);
    return rows;
}

/// Floats of Buffers a row, and of a thread's AttentionScratch.
std::size_t row_floats(const model::Hyperparameters& h, const partition::Share& share) {
    std::size_t n = 1 + 2 * h.dim + share.heads.size() * h.head_dim +
                    2 * share.kv_heads.size() * h.head_dim +
                    (h.n_experts > 0 ? 0 : share.hidden.size());
    if (model::n_joint_norms(h) > 0)
        n += squares_a_row + share.heads.size() + share.kv_heads.size();
    for (const model::Rope& rope : h.ropes) n += rope.n_dims; // cosine and sine of half as many
    return n;
}
/// Rows whose squares there is room for.
std::size_t joint_norm_rows(const model::Hyperparameters& h, const TransformerOptions& options) {
    return model::n_joint_norms(h) > 0 ? options.max_rows : 0;
}
std::size_t thread_floats(const model::Hyperparameters& h, const TransformerOptions& options) {
    return AttentionScratch::n_floats(queries_a_tile(h),
                                      cache::PageTables::pages_for(options.n_context), h.head_dim);
}

std::uint64_t buffer_bytes(const model::Hyperparameters& h, const partition::Share& share,
                           const model::WeightPlan& plan, const kernels::Family& family,
                           const TransformerOptions& options, int n_threads) {
    const std::size_t floats = options.max_rows * row_floats(h, share) +
                               options.max_logit_rows * share.vocabulary.size() +
                               static_cast<std::size_t>(n_threads) * thread_floats(h, options);
    std::size_t bytes = floats * sizeof(float);
    for (const std::size_t rows : micro_batch_rows(options, share.n_ranks))
        bytes += MicroBatch::size_bytes(h, share, rows, n_threads);
    if (options.sums_activations) bytes += ActivationSums::size_bytes(h, share);
    return bytes + ExpertBuffers::size_bytes(h, share, plan, family, options.max_rows);
}

} // namespace

Buffers::Buffers(const model::Model& model, const TransformerOptions& options)
    : x(options.max_rows * model.h.dim), q(options.max_rows * model.q_dim()),
      k(options.max_rows * model.kv_dim()), v(options.max_rows * model.kv_dim()),
      up(model.h.n_experts > 0 ? 0 : options.max_rows * model.share.hidden.size()),
      partial(options.max_rows * model.h.dim),
      logits(options.max_logit_rows * model.share.vocabulary.size()),
      head_squares(joint_norm_rows(model.h, options) * model.n_own_heads()),
      squares(joint_norm_rows(model.h, options) * squares_a_row), query_factors(options.max_rows) {
    for (const model::RopeTable& rope : model.rope)
        angles.emplace_back(options.max_rows, rope.n_pairs());
}

Workspace::Workspace(const model::Model& model_, const TransformerOptions& options_,
                     threads::Team& team_)
    : model(model_), options(options_), team(team_),
      cache(model.h, model.share.kv_heads.size(), options), buffers(model, options),
      passes(share_passes(model, options.cache_types, team.size())),
      experts(model, options.max_rows, team.size()) {
    if (options.sums_activations) sums.emplace(model.h, model.share);
    for (const std::size_t rows : micro_batch_rows(options, model.share.n_ranks))
        micro_batches.emplace_back(model, rows, team.size());
    for (int t = 0; t < team.size(); ++t) {
        scratch.emplace_back(queries_a_tile(model.h),
                             cache::PageTables::pages_for(options.n_context), model.h.head_dim);
        embedding_rows.emplace_back(model.weights.embedding->row_bytes());
    }
}

void Workspace::assign_work() {
    expects(static_cast<std::size_t>(team.size()) <= scratch.size(),
            "the team has no more threads than at first");
    passes = share_passes(model, options.cache_types, team.size());
    for (MicroBatch& batch : micro_batches) batch.assign_work(model, team.size());
}

std::uint64_t Transformer::kv_bytes() const noexcept {
    const Workspace& ws = *workspace_;
    return KvCaches::size_bytes(ws.model.h, ws.model.share.kv_heads.size(), ws.options);
}

MemoryNeed memory_need(const gguf::File& file, const model::Hyperparameters& h,
                       const partition::Share& share, const kernels::Family& family,
                       const TransformerOptions& options, int n_threads) {
    MemoryNeed need;
    const model::WeightPlan plan = model::plan_weights(file, h, share, family);
    need.weights = plan.packed_bytes + plan.vector_bytes;
    need.kv_cache = KvCaches::size_bytes(h, share.kv_heads.size(), options);
    need.buffers = buffer_bytes(h, share, plan, family, options, n_threads);
    return need;
}

} // namespace pillar::forward
