// Allocation of what the forward pass works on, and how much it will be.

#include "forward_state.hpp"

#include "pillar/core/checked.hpp"
#include "pillar/core/errors.hpp"
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

/// Rows that each half must have room for: the first one may be the whole step.
std::vector<std::size_t> half_rows(const TransformerOptions& options, int n_ranks) {
    std::vector<std::size_t> rows = {options.max_rows};
    if (first_half(options.max_rows, n_ranks) < options.max_rows)
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

std::vector<LayerPasses> share_passes(const model::Weights& weights, std::size_t head_dim,
                                      kernels::CacheType cache, int n_threads) {
    // Rotation takes pairs of rows; a q8_0 cache blocks of 32.
    const std::size_t block =
        cache == kernels::CacheType::q8_0 ? kernels::cache_block : std::size_t{1};
    std::vector<LayerPasses> passes;
    for (const model::LayerWeights& w : weights.layers) {
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

} // namespace

Buffers::Buffers(const model::Hyperparameters& h, const partition::Share& share,
                 const TransformerOptions& options)
    : x(options.max_rows * h.dim), q(options.max_rows * share.heads.size() * h.head_dim),
      k(options.max_rows * share.kv_heads.size() * h.head_dim),
      v(options.max_rows * share.kv_heads.size() * h.head_dim),
      up(options.max_rows * share.hidden.size()), partial(options.max_rows * h.dim),
      logits(options.max_logit_rows * share.vocabulary.size()),
      cosine(options.max_rows * (h.rope.n_dims / 2)), sine(options.max_rows * (h.rope.n_dims / 2)) {
}

Half::Half(const model::Hyperparameters& h, const partition::Share& share, std::size_t max_rows,
           std::size_t panel_columns, const AttentionPlan::Shape& plan_shape)
    : normed(whole_layout(h.dim), max_rows, panel_columns),
      attention(kernels::ActivationLayout(model::head_slices(share, h.head_dim)), max_rows,
                panel_columns),
      hidden(kernels::ActivationLayout(model::hidden_slices(share)), max_rows, panel_columns),
      plan(plan_shape) {}

void Half::set_rows(std::span<const Row> all, std::size_t first, std::size_t end) {
    begin = first;
    rows = all.subspan(first, end - first);
    for (kernels::Activations* x : {&normed, &attention, &hidden}) x->set_columns(rows.size());
    plan.make(rows);
}

std::size_t Buffers::size_bytes(const model::Hyperparameters& h, const partition::Share& share,
                                const TransformerOptions& options, int n_threads) {
    const std::size_t q_dim = share.heads.size() * h.head_dim,
                      kv_dim = share.kv_heads.size() * h.head_dim;
    const std::size_t row = 2 * h.dim + q_dim + 2 * kv_dim + share.hidden.size() + h.rope.n_dims;
    const std::size_t floats =
        options.max_rows * row + options.max_logit_rows * share.vocabulary.size() +
        static_cast<std::size_t>(n_threads) *
            AttentionScratch::n_floats(queries_a_tile(h), KvCache::pages_for(options.n_context),
                                       h.head_dim);
    std::size_t bytes = floats * sizeof(float);
    for (const std::size_t rows : half_rows(options, share.n_ranks))
        bytes += AttentionPlan::size_bytes(plan_shape(h, share, rows, n_threads)) +
                 activation_bytes(whole_layout(h.dim), rows) +
                 activation_bytes(kernels::ActivationLayout(model::head_slices(share, h.head_dim)),
                                  rows) +
                 activation_bytes(kernels::ActivationLayout(model::hidden_slices(share)), rows);
    return bytes;
}

std::size_t first_half(std::size_t n_rows, int n_ranks) noexcept {
    if (n_ranks == 1 || n_rows < shortest_in_halves) return n_rows;
    return ((n_rows + 1) / 2 + half_unit - 1) / half_unit * half_unit;
}

Transformer::State::State(const gguf::File& model_file,
                          const model::Hyperparameters& hyperparameters,
                          const partition::Share& own_share, const kernels::Family& kernel_family,
                          const TransformerOptions& transformer_options, threads::Team& thread_team,
                          model::LoadProgress progress)
    : file(model_file), h(hyperparameters), share(own_share), family(kernel_family),
      options(transformer_options), team(thread_team),
      plan(model::plan_weights(file, h, share, family)),
      weights(model::load_weights(file, h, family, plan, team, options.check_tensors, progress,
                                  load_bytes)),
      rope(h.rope, weights.rope_factors), cache(cache_shape(h, share, options)),
      buffers(h, share, options),
      passes(share_passes(weights, h.head_dim, options.cache_type, team.size())) {
    for (const std::size_t rows : half_rows(options, share.n_ranks))
        halves.emplace_back(h, share, rows, family.panel_columns,
                            plan_shape(h, share, rows, team.size()));
    for (int t = 0; t < team.size(); ++t) {
        scratch.emplace_back(queries_a_tile(h), KvCache::pages_for(options.n_context), h.head_dim);
        embedding_rows.emplace_back(weights.embedding->row_bytes());
    }
}

void Transformer::rebalance() {
    State& s = *state_;
    expects(static_cast<std::size_t>(s.team.size()) <= s.scratch.size(),
            "the team has no more threads than at first");
    s.passes = share_passes(s.weights, s.h.head_dim, s.options.cache_type, s.team.size());
    for (Half& half : s.halves)
        half.plan = AttentionPlan(plan_shape(s.h, s.share, half.normed.max_columns, s.team.size()));
}

std::uint64_t Transformer::kv_bytes() const noexcept {
    return KvCache::size_bytes(cache_shape(state_->h, state_->share, state_->options));
}

MemoryNeed memory_need(const gguf::File& file, const model::Hyperparameters& h,
                       const partition::Share& share, const kernels::Family& family,
                       const TransformerOptions& options, int n_threads) {
    MemoryNeed need;
    const model::WeightPlan plan = model::plan_weights(file, h, share, family);
    need.weights = plan.packed_bytes + plan.vector_bytes;
    need.kv_cache = KvCache::size_bytes(cache_shape(h, share, options));
    need.buffers = Buffers::size_bytes(h, share, options, n_threads);
    return need;
}

} // namespace pillar::forward
