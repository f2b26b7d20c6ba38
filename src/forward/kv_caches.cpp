#include "kv_caches.hpp"

#include <algorithm>

namespace pillar::forward {

namespace {

cache::KvCache::Shape shape_of(const model::Hyperparameters& h, std::size_t n_kv_heads,
                               const TransformerOptions& options, std::size_t window) {
    const auto n_layers = std::ranges::count(h.layers, window, &model::LayerSpec::window);
    if (options.keeps_windows) window = 0; // of the pages; attention still goes by the layer's
    return {.n_layers = static_cast<std::size_t>(n_layers),
            .n_kv_heads = n_kv_heads,
            .head_dim = h.head_dim,
            .types = options.cache_types,
            .n_pages = window == 0 && options.n_pages != 0
                           ? options.n_pages
                           : cache::KvCache::pages_a_sequence(options.n_context, window,
                                                              options.max_rows + options.max_back) *
                                 options.max_sequences,
            .max_sequences = options.max_sequences,
            .n_context = options.n_context,
            .window = window,
            .max_back = options.max_back};
}

} // namespace

std::vector<std::size_t> window_lengths(const model::Hyperparameters& h) {
    std::vector<std::size_t> lengths;
    for (const model::LayerSpec& layer : h.layers)
        if (std::ranges::find(lengths, layer.window) == lengths.end())
            lengths.push_back(layer.window);
    return lengths;
}

KvCaches::KvCaches(const model::Hyperparameters& h, std::size_t n_kv_heads,
                   const TransformerOptions& options) {
    const std::vector<std::size_t> lengths = window_lengths(h);
    for (const std::size_t window : lengths)
        caches_.emplace_back(shape_of(h, n_kv_heads, options, window));
    std::vector<std::size_t> n_so_far(lengths.size());
    for (const model::LayerSpec& layer : h.layers) {
        const auto cache =
            static_cast<std::size_t>(std::ranges::find(lengths, layer.window) - lengths.begin());
        places_.push_back({cache, n_so_far[cache]++});
    }
}

std::size_t KvCaches::size_bytes(const model::Hyperparameters& h, std::size_t n_kv_heads,
                                 const TransformerOptions& options) {
    std::size_t bytes = 0;
    for (const std::size_t window : window_lengths(h))
        bytes += cache::KvCache::size_bytes(shape_of(h, n_kv_heads, options, window));
    return bytes;
}

bool KvCaches::reserve(std::int32_t sequence, std::int32_t position) noexcept {
    return std::ranges::all_of(
        caches_, [&](cache::KvCache& cache) { return cache.tables().reserve(sequence, position); });
}

void KvCaches::forget(std::int32_t sequence, std::int32_t position) noexcept {
    for (cache::KvCache& cache : caches_) cache.tables().forget(sequence, position);
}

bool KvCaches::keeps(std::int32_t sequence, std::int32_t n_positions) const noexcept {
    return std::ranges::all_of(caches_, [&](const cache::KvCache& cache) {
        return cache.tables().keeps(sequence, n_positions);
    });
}

void KvCaches::truncate(std::int32_t sequence, std::int32_t n_positions) noexcept {
    for (cache::KvCache& cache : caches_) cache.tables().truncate(sequence, n_positions);
}

void KvCaches::share(std::int32_t sequence, std::int32_t from, std::int32_t n_positions) noexcept {
    for (cache::KvCache& cache : caches_) cache.tables().share(sequence, from, n_positions);
}

bool KvCaches::shares_pages() const noexcept {
    return std::ranges::all_of(
        caches_, [](const cache::KvCache& cache) { return cache.tables().window() == 0; });
}

std::size_t KvCaches::free_pages() const noexcept {
    std::size_t n = 0;
    for (const cache::KvCache& cache : caches_) n += cache.tables().free_pages();
    return n;
}

std::size_t KvCaches::used_pages() const noexcept {
    std::size_t n = 0;
    for (const cache::KvCache& cache : caches_) n += cache.tables().used_pages();
    return n;
}

} // namespace pillar::forward
