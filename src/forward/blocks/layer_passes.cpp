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

} // namespace

std::vector<LayerPasses> share_passes(const model::Model& model, kernels::CacheType cache,
                                      int n_threads) {
    const std::size_t head_dim = model.h.head_dim;
    // Rotation takes pairs of rows; a q8_0 cache blocks of 32.
    const std::size_t block =
        cache == kernels::CacheType::q8_0 ? kernels::cache_block : std::size_t{1};
    std::vector<LayerPasses> passes;
    for (const model::LayerWeights& w : model.weights.layers) {
        // The norm of a head, or the sum of its squares, needs all of it.
        const std::size_t query_unit = w.query_norm.empty() ? 2 : head_dim;
        const std::size_t key_unit =
            w.key_norm.empty() ? std::max<std::size_t>(2, block) : head_dim;
        const PassMatrix heads[] = {heads_pass(w.query, head_dim, query_unit),
                                    heads_pass(w.key, head_dim, key_unit),
                                    heads_pass(w.value, head_dim, block)};
        passes.push_back({SharedPass(heads, n_threads), SharedPass()});
        if (model.h.n_experts > 0) continue; // shared anew in each step
        const PassMatrix units[] = {units_pass(w.gate, w.up)};
        passes.back().feed_forward = SharedPass(units, n_threads);
    }
    return passes;
}

} // namespace pillar::forward
