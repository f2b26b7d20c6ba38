#include "blocks/layer_passes.hpp"

#include "pillar/core/sizes.hpp"

#include <algorithm>
#include <numeric>

namespace pillar::forward {

namespace {

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

/// Rows that are stored together.
std::size_t block_of(kernels::CacheType type) noexcept {
    return kernels::has_blocks(type) ? kernels::cache_block : std::size_t{1};
}

/// Rows of a head that one thread must have: the norm of a head and its rotation need all of it.
std::size_t unit_of(std::size_t head_dim, bool needs_all, std::size_t otherwise) noexcept {
    return needs_all ? head_dim : otherwise;
}

} // namespace

std::vector<LayerPasses> share_passes(const model::Model& model, kernels::CacheTypes cache,
                                      int n_threads) {
    const std::size_t head_dim = model.h.head_dim;
    std::vector<LayerPasses> passes;
    for (const model::LayerWeights& w : model.weights.layers) {
        // Rotary angles turn pairs of rows; the sum of a head's squares needs all of it.
        const std::size_t query_unit =
            unit_of(head_dim, !w.query_norm.empty() || is_rotated(cache.keys), 2);
        const std::size_t key_unit =
            unit_of(head_dim, !w.key_norm.empty() || is_rotated(cache.keys),
                    std::max<std::size_t>(2, block_of(cache.keys)));
        const std::size_t value_unit =
            unit_of(head_dim, is_rotated(cache.values), block_of(cache.values));
        const PassMatrix heads[] = {heads_pass(w.query, head_dim, query_unit),
                                    heads_pass(w.key, head_dim, key_unit),
                                    heads_pass(w.value, head_dim, value_unit)};
        passes.push_back({SharedPass(heads, n_threads), SharedPass()});
        if (model.h.n_experts > 0) continue; // shared anew in each step
        const PassMatrix units[] = {units_pass(w.gate, w.up)};
        passes.back().feed_forward = SharedPass(units, n_threads);
    }
    return passes;
}

} // namespace pillar::forward
