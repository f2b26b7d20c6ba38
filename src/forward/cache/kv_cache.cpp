#include "cache/kv_cache.hpp"

#include "attention/attention_plan.hpp"

#include "pillar/core/errors.hpp"

#include <algorithm>

namespace pillar::forward {

std::size_t KvCache::pages_for(std::size_t n_positions) noexcept {
    return (n_positions + kernels::page_positions - 1) / kernels::page_positions;
}

std::size_t KvCache::pages_a_sequence(std::size_t n_context, std::size_t window,
                                      std::size_t max_rows) noexcept {
    const std::size_t all = pages_for(n_context);
    if (window == 0) return all;
    // What the first row of a chunk sees to its last one, wherever it lies upon the pages.
    const std::size_t n_positions = window - 1 + max_rows;
    return std::min(all, pages_for(n_positions - 1) + 1);
}

std::size_t KvCache::size_bytes(const Shape& shape) noexcept {
    return shape.n_pages * shape.n_layers * shape.n_kv_heads * 2 *
           kernels::page_bytes(shape.type, shape.head_dim);
}

KvCache::KvCache(const Shape& shape)
    : shape_(shape), half_bytes_(kernels::page_bytes(shape.type, shape.head_dim)),
      data_(size_bytes(shape)), tables_(shape.max_sequences) {
    for (Table& table : tables_)
        table.pages.reserve(std::max(shape.n_pages, pages_for(shape.n_context)));
    free_pages_.reserve(shape.n_pages);
    for (std::size_t p = shape.n_pages; p > 0; --p)
        free_pages_.push_back(static_cast<std::uint32_t>(p - 1));
}

bool KvCache::is_sequence(std::int32_t sequence) const noexcept {
    return sequence >= 0 && static_cast<std::size_t>(sequence) < tables_.size();
}

bool KvCache::reserve(std::int32_t sequence, std::int32_t position) noexcept {
    expects(is_sequence(sequence) && position >= 0, "a row is of a sequence and has a position");
    Table& table = tables_[static_cast<std::size_t>(sequence)];
    const std::size_t needed = static_cast<std::size_t>(position) / kernels::page_positions + 1;
    while (table.pages.size() < needed) {
        if (free_pages_.empty()) return false;
        table.pages.push_back(free_pages_.back());
        free_pages_.pop_back();
    }
    return true;
}

void KvCache::forget(std::int32_t sequence, std::int32_t position) noexcept {
    expects(is_sequence(sequence) && position >= 0, "a row is of a sequence and has a position");
    Table& table = tables_[static_cast<std::size_t>(sequence)];
    const std::size_t next = static_cast<std::size_t>(position) + 1;
    const std::size_t first = first_visible(next, shape_.window) / kernels::page_positions;
    for (; table.first < std::min(first, table.pages.size()); ++table.first)
        free_pages_.push_back(table.pages[table.first]);
}

bool KvCache::keeps(std::int32_t sequence, std::int32_t n_positions) const noexcept {
    expects(is_sequence(sequence) && n_positions >= 0, "a sequence is cut to some positions");
    const Table& table = tables_[static_cast<std::size_t>(sequence)];
    const std::size_t seen = first_visible(static_cast<std::size_t>(n_positions), shape_.window);
    return n_positions == 0 || table.first <= seen / kernels::page_positions;
}

void KvCache::truncate(std::int32_t sequence, std::int32_t n_positions) noexcept {
    expects(keeps(sequence, n_positions), "a sequence is cut to what its cache still holds");
    Table& table = tables_[static_cast<std::size_t>(sequence)];
    const std::size_t n_kept =
        std::max(table.first, pages_for(static_cast<std::size_t>(n_positions)));
    while (table.pages.size() > n_kept) {
        free_pages_.push_back(table.pages.back());
        table.pages.pop_back();
    }
    if (n_positions > 0) return;
    table.pages.clear();
    table.first = 0;
}

std::size_t KvCache::offset(std::int32_t sequence, std::size_t index, std::size_t layer,
                            std::size_t kv_head) const noexcept {
    const std::size_t page = tables_[static_cast<std::size_t>(sequence)].pages[index];
    return ((page * shape_.n_layers + layer) * shape_.n_kv_heads + kv_head) * 2 * half_bytes_;
}

kernels::PageView KvCache::page(std::int32_t sequence, std::size_t index, std::size_t layer,
                                std::size_t kv_head) const noexcept {
    const std::byte* keys = data_.data() + offset(sequence, index, layer, kv_head);
    return {keys, keys + half_bytes_};
}

void* KvCache::keys(std::int32_t sequence, std::size_t index, std::size_t layer,
                    std::size_t kv_head) noexcept {
    return data_.data() + offset(sequence, index, layer, kv_head);
}

void* KvCache::values(std::int32_t sequence, std::size_t index, std::size_t layer,
                      std::size_t kv_head) noexcept {
    return data_.data() + offset(sequence, index, layer, kv_head) + half_bytes_;
}

} // namespace pillar::forward
