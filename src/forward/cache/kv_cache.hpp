#pragma once
// Keys and values of past positions, in pages of 256 positions : one pool of pages for
// all sequences, a table of page numbers a sequence. A rank holds its own KV heads only. Allocated
// once.
//
// One page holds, for each layer and own KV head: keys (head_dim, 256), then values (256,
// head_dim), in the cache type (kernels::PageView).

#include "pillar/core/aligned_buffer.hpp"
#include "pillar/kernels/family.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace pillar::forward {

class KvCache {
  public:
    struct Shape {
        std::size_t n_layers = 0;
        std::size_t n_kv_heads = 0; ///< of this rank; may be 0
        std::size_t head_dim = 0;
        kernels::CacheType type = kernels::CacheType::f16;
        std::size_t n_pages = 0;
        std::size_t max_sequences = 1;
    };
    static std::size_t size_bytes(const Shape& shape) noexcept;
    /// Pages that `n_positions` positions of one sequence need.
    static std::size_t pages_for(std::size_t n_positions) noexcept;

    explicit KvCache(const Shape& shape);

    /// Make room for `position` of `sequence` (positions come without gaps). False when the pool is
    /// empty. No allocation. expects() a sequence below max_sequences.
    bool reserve(std::int32_t sequence, std::int32_t position) noexcept;
    /// Keep the first `n_positions` of a sequence and give back the pages beyond them.
    void truncate(std::int32_t sequence, std::int32_t n_positions) noexcept;

    [[nodiscard]] kernels::CacheType type() const noexcept { return shape_.type; }
    [[nodiscard]] std::size_t free_pages() const noexcept { return free_pages_.size(); }
    /// Page `index` (position / 256) of a sequence; `kv_head` counts from the rank's first.
    [[nodiscard]] kernels::PageView page(std::int32_t sequence, std::size_t index,
                                         std::size_t layer, std::size_t kv_head) const noexcept;
    [[nodiscard]] void* keys(std::int32_t sequence, std::size_t index, std::size_t layer,
                             std::size_t kv_head) noexcept;
    [[nodiscard]] void* values(std::int32_t sequence, std::size_t index, std::size_t layer,
                               std::size_t kv_head) noexcept;

  private:
    [[nodiscard]] bool is_sequence(std::int32_t sequence) const noexcept;
    [[nodiscard]] std::size_t offset(std::int32_t sequence, std::size_t index, std::size_t layer,
                                     std::size_t kv_head) const noexcept;

    Shape shape_;
    std::size_t half_bytes_ = 0; ///< keys or values of one head in one page
    AlignedBuffer<std::byte> data_;
    std::vector<std::vector<std::uint32_t>> tables_; ///< a sequence → its pages
    std::vector<std::uint32_t> free_pages_;
};

} // namespace pillar::forward
