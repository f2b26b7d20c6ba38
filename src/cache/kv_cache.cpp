#include "pillar/cache/kv_cache.hpp"

#include <algorithm>

namespace pillar::cache {

std::size_t KvCache::pages_a_sequence(std::size_t n_context, std::size_t window,
                                      std::size_t max_rows) noexcept {
    const std::size_t all = PageTables::pages_for(n_context);
    if (window == 0) return all;
    // What the first row of a chunk sees to its last one, wherever it lies upon the pages.
    const std::size_t n_positions = window - 1 + max_rows;
    return std::min(all, PageTables::pages_for(n_positions - 1) + 1);
}

std::size_t KvCache::size_bytes(const Shape& shape) noexcept {
    return shape.n_pages * shape.n_layers * shape.n_kv_heads *
           kernels::page_bytes(shape.types, shape.head_dim);
}

KvCache::KvCache(const Shape& shape)
    : shape_(shape), key_bytes_(kernels::page_bytes(shape.types.keys, shape.head_dim)),
      bytes_(kernels::page_bytes(shape.types, shape.head_dim)), data_(size_bytes(shape)),
      tables_(shape.n_pages, shape.max_sequences, shape.n_context, shape.window, shape.max_back) {}

std::size_t KvCache::offset(std::int32_t sequence, std::size_t index, std::size_t layer,
                            std::size_t kv_head) const noexcept {
    const std::size_t page = tables_.page(sequence, index);
    return ((page * shape_.n_layers + layer) * shape_.n_kv_heads + kv_head) * bytes_;
}

kernels::PageView KvCache::page(std::int32_t sequence, std::size_t index, std::size_t layer,
                                std::size_t kv_head) const noexcept {
    const std::byte* keys = data_.data() + offset(sequence, index, layer, kv_head);
    return {keys, keys + key_bytes_};
}

void* KvCache::keys(std::int32_t sequence, std::size_t index, std::size_t layer,
                    std::size_t kv_head) noexcept {
    return data_.data() + offset(sequence, index, layer, kv_head);
}

void* KvCache::values(std::int32_t sequence, std::size_t index, std::size_t layer,
                      std::size_t kv_head) noexcept {
    return data_.data() + offset(sequence, index, layer, kv_head) + key_bytes_;
}

} // namespace pillar::cache
