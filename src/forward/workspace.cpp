// Allocation of what the forward pass works on, and how much it will be.

#include "workspace.hpp"

#include "pillar/core/checked.hpp"
#include "pillar/core/errors.hpp"
#include "pillar/forward/micro_batches.hpp"
#include "pillar/model/slices.hpp"

#include <algorithm>
#include <numeric>

namespace pillar::forward {

namespace {

kernels::ActivationLayout whole_layout(std::size_t n) {
    const kernels::Slice slice{0, n};
    return kernels::ActivationLayout(std::span(&slice, 1));
}

KvCache::Shape cache_shape(const model::Hyperparameters& h, const partition::Share& share,
                           const TransformerOptions& options) {
    return {.n_layers = h.n_layers,
            .n_kv_heads = share.kv_heads.size(),
            .head_dim = h.head_dim,
            .type = options.cache_type,
            .n_pages = KvCache::pages_for(options.n_context) * options.max_sequences,
            .max_sequences = options.max_sequences};
}

/// Rows of a tile of attention and query heads a tile.
std::size_t tile_rows(const model::Hyperparameters& h) noexcept {
    return std::max<std::size_t>(1, tile_queries / (h.n_heads / h.n_kv_heads));
}
std::size_t queries_a_tile(const model::Hyperparameters& h) noexcept {
    return tile_rows(h) * (h.n_heads / h.n_kv_heads);
}

AttentionPlan::Shape plan_shape(const model::Hyperparameters& h, const partition::Share& share,
                                std::size_t max_rows, int n_threads) {
    return {.n_kv_heads = share.kv_heads.size(),
            .tile_rows = tile_rows(h),
            .max_rows = max_rows,
            .own_blocks = h.head_dim % kernels::block_size == 0,
            .n_threads = n_threads};
}

/// Rows that each micro-batch must have room for: the first one may be the whole step.
std::vector<std::size_t> micro_batch_rows(const TransformerOptions& options, int n_ranks) {
    std::vector<std::size_t> rows = {options.max_rows};
    if (first_micro_batch(options.max_rows, n_ranks) < options.max_rows)
        rows.push_back(options.max_rows / 2);
    return rows;
}

/// A matrix of heads; `unit` rows of a head stay together.
PassMatrix heads_pass(const kernels::Matrix& w, std::size_t head_dim, std::size_t unit) {
    return {.n_rows = w.shape().n_rows,
            .rows_per_group = w.family().rows_per_group(w.shape().type),
            .group_bytes = w.group_bytes(),
            .head_rows = head_dim,
            .unit_rows = unit};
}

/// Gate and up as one matrix whose rows are units of 32 of theirs: the blocks that down takes.
PassMatrix units_pass(const kernels::Matrix& gate, const kernels::Matrix& up) {
    const auto rows_of = [](const kernels::Matrix& w) {
        return w.family().rows_per_group(w.shape().type);
    };
    const std::size_t rows = std::lcm(kernels::block_size, std::lcm(rows_of(gate), rows_of(up)));
    const std::size_t n_units = ceil_div(gate.shape().n_rows, kernels::block_size);
    return {.n_rows = n_units,
            .rows_per_group = 1,
            .group_bytes = kernels::block_size / rows_of(gate) * gate.group_bytes() +
                           kernels::block_size / rows_of(up) * up.group_bytes(),
            .head_rows = n_units + 1,
            .unit_rows = rows / kernels::block_size};
}

std::vector<LayerPasses> share_passes(const model::Model& model, kernels::CacheType cache,
                                      int n_threads) {
    const std::size_t head_dim = model.h.head_dim;
    // Rotation takes pairs of rows; a q8_0 cache blocks of 32.
    const std::size_t block =
        cache == kernels::CacheType::q8_0 ? kernels::cache_block : std::size_t{1};
    std::vector<LayerPasses> passes;
    for (const model::LayerWeights& w : model.weights.layers) {
        const PassMatrix heads[] = {heads_pass(w.query, head_dim, 2),
                                    heads_pass(w.key, head_dim, std::max<std::size_t>(2, block)),
                                    heads_pass(w.value, head_dim, block)};
        const PassMatrix units[] = {units_pass(w.gate, w.up)};
        passes.push_back({SharedPass(heads, n_threads), SharedPass(units, n_threads)});
    }
    return passes;
}

std::size_t activation_bytes(const kernels::ActivationLayout& layout, std::size_t max_columns) {
    const std::size_t blocks =
        layout.n_blocks * (kernels::block_size + sizeof(float) + sizeof(std::int32_t));
    return max_columns * ((layout.length + 15) / 16 * 16 * sizeof(float) + blocks);
}

/// Floats of Buffers a row, and of a thread's AttentionScratch.
std::size_t row_floats(const model::Hyperparameters& h, const partition::Share& share) {
    std::size_t n = 2 * h.dim + share.heads.size() * h.head_dim +
                    2 * share.kv_heads.size() * h.head_dim + share.hidden.size();
    for (const model::Rope& rope : h.ropes) n += rope.n_dims; // cosine and sine of half as many
    return n;
}
std::size_t thread_floats(const model::Hyperparameters& h, const TransformerOptions& options) {
    return AttentionScratch::n_floats(queries_a_tile(h), KvCache::pages_for(options.n_context),
                                      h.head_dim);
}

std::uint64_t buffer_bytes(const model::Hyperparameters& h, const partition::Share& share,
                           const TransformerOptions& options, int n_threads) {
    const std::size_t floats = options.max_rows * row_floats(h, share) +
                               options.max_logit_rows * share.vocabulary.size() +
                               static_cast<std::size_t>(n_threads) * thread_floats(h, options);
    std::size_t bytes = floats * sizeof(float);
    for (const std::size_t rows : micro_batch_rows(options, share.n_ranks))
        bytes += AttentionPlan::size_bytes(plan_shape(h, share, rows, n_threads)) +
                 activation_bytes(whole_layout(h.dim), rows) +
                 activation_bytes(kernels::ActivationLayout(model::head_slices(share, h.head_dim)),
                                  rows) +
                 activation_bytes(kernels::ActivationLayout(model::hidden_slices(share)), rows);
    return bytes;
}

} // namespace

Buffers::Buffers(const model::Model& model, const TransformerOptions& options)
    : x(options.max_rows * model.h.dim), q(options.max_rows * model.q_dim()),
      k(options.max_rows * model.kv_dim()), v(options.max_rows * model.kv_dim()),
      up(options.max_rows * model.share.hidden.size()), partial(options.max_rows * model.h.dim),
      logits(options.max_logit_rows * model.share.vocabulary.size()) {
    for (const model::RopeTable& rope : model.rope)
        angles.emplace_back(options.max_rows, rope.n_pairs());
}

MicroBatch::MicroBatch(const model::Model& model, std::size_t max_rows,
                       const AttentionPlan::Shape& plan_shape)
    : normed(whole_layout(model.h.dim), max_rows, model.family.panel_columns),
      attention(kernels::ActivationLayout(model::head_slices(model.share, model.h.head_dim)),
                max_rows, model.family.panel_columns),
      hidden(kernels::ActivationLayout(model::hidden_slices(model.share)), max_rows,
             model.family.panel_columns),
      plan(plan_shape) {}

void MicroBatch::set_rows(std::span<const Row> all, std::size_t first, std::size_t end) {
    begin = first;
    rows = all.subspan(first, end - first);
    for (kernels::Activations* x : {&normed, &attention, &hidden}) x->set_columns(rows.size());
    plan.make(rows);
}

Workspace::Workspace(const model::Model& model_, const TransformerOptions& options_,
                     threads::Team& team_)
    : model(model_), options(options_), team(team_),
      cache(cache_shape(model.h, model.share, options)), buffers(model, options),
      passes(share_passes(model, options.cache_type, team.size())) {
    for (const std::size_t rows : micro_batch_rows(options, model.share.n_ranks))
        micro_batches.emplace_back(model, rows,
                                   plan_shape(model.h, model.share, rows, team.size()));
    for (int t = 0; t < team.size(); ++t) {
        scratch.emplace_back(queries_a_tile(model.h), KvCache::pages_for(options.n_context),
                             model.h.head_dim);
        embedding_rows.emplace_back(model.weights.embedding->row_bytes());
    }
}

void Workspace::assign_work() {
    expects(static_cast<std::size_t>(team.size()) <= scratch.size(),
            "the team has no more threads than at first");
    passes = share_passes(model, options.cache_type, team.size());
    for (MicroBatch& batch : micro_batches)
        batch.plan =
            AttentionPlan(plan_shape(model.h, model.share, batch.normed.max_columns, team.size()));
}

std::uint64_t Transformer::kv_bytes() const noexcept {
    const Workspace& ws = *workspace_;
    return KvCache::size_bytes(cache_shape(ws.model.h, ws.model.share, ws.options));
}

MemoryNeed memory_need(const gguf::File& file, const model::Hyperparameters& h,
                       const partition::Share& share, const kernels::Family& family,
                       const TransformerOptions& options, int n_threads) {
    MemoryNeed need;
    const model::WeightPlan plan = model::plan_weights(file, h, share, family);
    need.weights = plan.packed_bytes + plan.vector_bytes;
    need.kv_cache = KvCache::size_bytes(cache_shape(h, share, options));
    need.buffers = buffer_bytes(h, share, options, n_threads);
    return need;
}

} // namespace pillar::forward
