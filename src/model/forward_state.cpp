// Allocation of what the forward pass works on, and how much it will be.

#include "forward_state.hpp"
#include "slices.hpp"

#include "pillar/core/checked.hpp"

#include <bit>

namespace pillar::model {

namespace {

kernels::ActivationLayout whole_layout(std::size_t n) {
    const kernels::Slice slice{0, n};
    return kernels::ActivationLayout(std::span(&slice, 1));
}

KvCache::Shape cache_shape(const Hyperparameters& h, const partition::Share& share,
                           const TransformerOptions& options) {
    return {.n_layers = h.n_layers,
            .n_kv_heads = share.kv_heads.size(),
            .head_dim = h.head_dim,
            .type = options.cache_type,
            .n_pages = KvCache::pages_for(options.n_context) * options.max_sequences,
            .max_sequences = options.max_sequences};
}

std::size_t activation_bytes(const kernels::ActivationLayout& layout, std::size_t max_columns) {
    const std::size_t blocks =
        layout.n_blocks * (kernels::block_size + sizeof(float) + sizeof(std::int32_t));
    return max_columns * ((layout.length + 15) / 16 * 16 * sizeof(float) + blocks);
}

} // namespace

std::size_t AttentionScratch::n_levels(std::size_t n_pages) noexcept {
    return static_cast<std::size_t>(std::bit_width(n_pages)) + 2;
}

std::size_t AttentionScratch::n_floats(std::size_t head_dim, std::size_t n_pages) noexcept {
    return kernels::page_positions + n_levels(n_pages) * head_dim;
}

AttentionScratch::AttentionScratch(std::size_t head_dim, std::size_t n_pages)
    : scores(kernels::page_positions), outputs(n_levels(n_pages) * head_dim),
      levels(n_levels(n_pages)) {}

Buffers::Buffers(const Hyperparameters& h, const partition::Share& share,
                 const TransformerOptions& options, std::size_t panel_columns)
    : x(options.max_rows * h.dim), q(options.max_rows * share.heads.size() * h.head_dim),
      k(options.max_rows * share.kv_heads.size() * h.head_dim),
      v(options.max_rows * share.kv_heads.size() * h.head_dim),
      gate(options.max_rows * share.hidden.size()), up(options.max_rows * share.hidden.size()),
      partial(options.max_rows * h.dim), logits(options.max_logit_rows * share.vocabulary.size()),
      cosine(options.max_rows * (h.rope.n_dims / 2)), sine(options.max_rows * (h.rope.n_dims / 2)),
      normed(whole_layout(h.dim), options.max_rows, panel_columns),
      attention(kernels::ActivationLayout(head_slices(share, h.head_dim)), options.max_rows,
                panel_columns),
      hidden(kernels::ActivationLayout(hidden_slices(share)), options.max_rows, panel_columns) {}

std::size_t Buffers::size_bytes(const Hyperparameters& h, const partition::Share& share,
                                const TransformerOptions& options, int n_threads) {
    const std::size_t q_dim = share.heads.size() * h.head_dim,
                      kv_dim = share.kv_heads.size() * h.head_dim;
    const std::size_t row =
        2 * h.dim + q_dim + 2 * kv_dim + 2 * share.hidden.size() + h.rope.n_dims;
    const std::size_t floats =
        options.max_rows * row + options.max_logit_rows * share.vocabulary.size() +
        static_cast<std::size_t>(n_threads) *
            AttentionScratch::n_floats(h.head_dim, KvCache::pages_for(options.n_context));
    return floats * sizeof(float) + activation_bytes(whole_layout(h.dim), options.max_rows) +
           activation_bytes(kernels::ActivationLayout(head_slices(share, h.head_dim)),
                            options.max_rows) +
           activation_bytes(kernels::ActivationLayout(hidden_slices(share)), options.max_rows);
}

Transformer::State::State(const gguf::File& model_file, const Hyperparameters& hyperparameters,
                          const partition::Share& own_share, const kernels::Family& kernel_family,
                          const TransformerOptions& transformer_options, threads::Team& thread_team,
                          LoadProgress progress)
    : file(model_file), h(hyperparameters), share(own_share), family(kernel_family),
      options(transformer_options), team(thread_team), plan(plan_weights(file, h, share, family)),
      weights(load_weights(file, h, share, family, plan, team, options.check_tensors, progress,
                           load_bytes)),
      rope(h.rope, weights.rope_factors), cache(cache_shape(h, share, options)),
      buffers(h, share, options, family.panel_columns) {
    for (int t = 0; t < team.size(); ++t) {
        scratch.emplace_back(h.head_dim, KvCache::pages_for(options.n_context));
        embedding_rows.emplace_back(weights.embedding->row_bytes());
    }
}

std::uint64_t Transformer::kv_bytes() const noexcept {
    return KvCache::size_bytes(cache_shape(state_->h, state_->share, state_->options));
}

MemoryNeed memory_need(const gguf::File& file, const Hyperparameters& h,
                       const partition::Share& share, const kernels::Family& family,
                       const TransformerOptions& options, int n_threads) {
    MemoryNeed need;
    need.weights = plan_weights(file, h, share, family).packed_bytes;
    need.kv_cache = KvCache::size_bytes(cache_shape(h, share, options));
    need.buffers = Buffers::size_bytes(h, share, options, n_threads);
    return need;
}

} // namespace pillar::model
