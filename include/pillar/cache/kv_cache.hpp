#pragma once
// Keys and values of past positions, in pages of 256 positions: one pool of pages for all
// sequences, a table of page numbers a sequence. A rank holds its own KV heads only. Allocated
// once. Layers that see a window alone have a cache of their own, which gives pages back that no
// later row can see.
//
// One page holds, for each layer and own KV head: keys (head_dim, 256), then values (256,
// head_dim), each in its cache type (kernels::PageView).

#include "pillar/cache/page_tables.hpp"
#include "pillar/core/aligned_buffer.hpp"
#include "pillar/kernels/family.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace pillar::cache {

class KvCache {
  public:
    struct Shape {
        std::size_t n_layers = 0;
        std::size_t n_kv_heads = 0; ///< of this rank; may be 0
        std::size_t head_dim = 0;
        kernels::CacheTypes types = kernels::CacheType::f16;
        std::size_t n_pages = 0;
        std::size_t max_sequences = 1;
        std::size_t n_context = 0; ///< positions a sequence may have; 0: as many as the pages hold
        std::size_t window = 0;    ///< positions that a row sees; 0: all before it
        std::size_t max_back = 0;  ///< positions by which any sequence can go back
    };
    static std::size_t size_bytes(const Shape& shape) noexcept;
    /// Pages that a sequence of up to `n_context` positions needs at a time where rows come in
    /// chunks of up to `max_rows` and see `window` positions (0: all).
    static std::size_t pages_a_sequence(std::size_t n_context, std::size_t window,
                                        std::size_t max_rows) noexcept;

    explicit KvCache(const Shape& shape);

    /// Which pages each sequence has.
    [[nodiscard]] PageTables& tables() noexcept { return tables_; }
    [[nodiscard]] const PageTables& tables() const noexcept { return tables_; }

    [[nodiscard]] kernels::CacheTypes types() const noexcept { return shape_.types; }
    /// Page `index` (position / 256) of a sequence; `kv_head` counts from the rank's first.
    [[nodiscard]] kernels::PageView page(std::int32_t sequence, std::size_t index,
                                         std::size_t layer, std::size_t kv_head) const noexcept;
    [[nodiscard]] void* keys(std::int32_t sequence, std::size_t index, std::size_t layer,
                             std::size_t kv_head) noexcept;
    [[nodiscard]] void* values(std::int32_t sequence, std::size_t index, std::size_t layer,
                               std::size_t kv_head) noexcept;

    /// The first `n_positions` keys and values of one head, without the pages: (n_positions,
    /// row_bytes()), a position's key and then its value. expects() pages that are there.
    void read_rows(std::int32_t sequence, std::size_t n_positions, std::size_t layer,
                   std::size_t kv_head, std::span<std::byte> rows) const noexcept;
    void write_rows(std::int32_t sequence, std::size_t n_positions, std::size_t layer,
                    std::size_t kv_head, std::span<const std::byte> rows) noexcept;
    /// Bytes of one position's key and value of one head. In formats with blocks the integers of
    /// each come first, then its scales.
    static std::size_t row_bytes(kernels::CacheTypes types, std::size_t head_dim) noexcept;

  private:
    [[nodiscard]] std::size_t offset(std::int32_t sequence, std::size_t index, std::size_t layer,
                                     std::size_t kv_head) const noexcept;

    Shape shape_;
    std::size_t key_bytes_ = 0, bytes_ = 0; ///< keys, keys and values of one head in one page
    AlignedBuffer<std::byte> data_;
    PageTables tables_;
};

} // namespace pillar::cache
