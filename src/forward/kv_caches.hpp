#pragma once
// The KV cache of all layers: one pool of pages for the layers that see all positions, one for
// those of each window. A position takes memory in the first for as long as its sequence lasts, in
// the others until it has left the window.

#include "pillar/cache/kv_cache.hpp"

#include "pillar/forward/row.hpp"
#include "pillar/model/hyperparameters.hpp"

#include <vector>

namespace pillar::forward {

/// The lengths of the windows that a model's layers have, each once, in the order of the layers; 0
/// where a layer sees all positions. Layers of one length are a class.
std::vector<std::size_t> window_lengths(const model::Hyperparameters& h);

class KvCaches {
  public:
    KvCaches(const model::Hyperparameters& h, std::size_t n_kv_heads,
             const TransformerOptions& options);
    static std::size_t size_bytes(const model::Hyperparameters& h, std::size_t n_kv_heads,
                                  const TransformerOptions& options);

    // As in cache::KvCache, in the caches of all classes.
    bool reserve(std::int32_t sequence, std::int32_t position) noexcept;
    void forget(std::int32_t sequence, std::int32_t position) noexcept;
    [[nodiscard]] bool keeps(std::int32_t sequence, std::int32_t n_positions) const noexcept;
    void truncate(std::int32_t sequence, std::int32_t n_positions) noexcept;
    /// No cache forgets: each keeps all positions.
    [[nodiscard]] bool shares_pages() const noexcept;
    /// expects() shares_pages().
    void share(std::int32_t sequence, std::int32_t from, std::int32_t n_positions) noexcept;
    /// Of all pools together.
    [[nodiscard]] std::size_t free_pages() const noexcept;
    [[nodiscard]] std::size_t used_pages() const noexcept;

    [[nodiscard]] kernels::CacheTypes types() const noexcept { return caches_.front().types(); }
    /// Number of a layer's class in window_lengths().
    [[nodiscard]] std::size_t class_of(std::size_t layer) const noexcept {
        return places_[layer].cache;
    }
    [[nodiscard]] kernels::PageView page(std::int32_t sequence, std::size_t index,
                                         std::size_t layer, std::size_t kv_head) const noexcept {
        const auto [cache, of_class] = places_[layer];
        return caches_[cache].page(sequence, index, of_class, kv_head);
    }
    [[nodiscard]] void* keys(std::int32_t sequence, std::size_t index, std::size_t layer,
                             std::size_t kv_head) noexcept {
        const auto [cache, of_class] = places_[layer];
        return caches_[cache].keys(sequence, index, of_class, kv_head);
    }
    /// As in cache::KvCache.
    void read_rows(std::int32_t sequence, std::size_t n_positions, std::size_t layer,
                   std::size_t kv_head, std::span<std::byte> rows) const noexcept {
        const auto [cache, of_class] = places_[layer];
        caches_[cache].read_rows(sequence, n_positions, of_class, kv_head, rows);
    }
    void write_rows(std::int32_t sequence, std::size_t n_positions, std::size_t layer,
                    std::size_t kv_head, std::span<const std::byte> rows) noexcept {
        const auto [cache, of_class] = places_[layer];
        caches_[cache].write_rows(sequence, n_positions, of_class, kv_head, rows);
    }
    [[nodiscard]] void* values(std::int32_t sequence, std::size_t index, std::size_t layer,
                               std::size_t kv_head) noexcept {
        const auto [cache, of_class] = places_[layer];
        return caches_[cache].values(sequence, index, of_class, kv_head);
    }

  private:
    struct Place {
        std::size_t cache;
        std::size_t of_class; ///< the layer's number among those of its class
    };
    std::vector<cache::KvCache> caches_;
    std::vector<Place> places_; ///< (layers)
};

} // namespace pillar::forward
