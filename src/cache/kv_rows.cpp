// Keys and values position by position: how they leave the pages, and come back.

#include "pillar/cache/kv_cache.hpp"
#include "pillar/core/errors.hpp"
#include "pillar/core/sizes.hpp"

#include <algorithm>
#include <cstring>

namespace pillar::cache {

namespace {

using kernels::page_positions;

/// What a half of a page holds of one head: `n` numbers of `bytes` a position, then its scales.
struct Numbers {
    std::size_t n;
    std::size_t bytes;
    std::size_t n_scales = 0;
};

constexpr std::size_t scale_bytes = 2; // f16

Numbers numbers_of(kernels::CacheType type, std::size_t head_dim) noexcept {
    switch (type) {
    case kernels::CacheType::f32:
        return {head_dim, 4};
    case kernels::CacheType::f16:
        return {head_dim, 2};
    case kernels::CacheType::q8_0:
        return {head_dim, 1, ceil_div(head_dim, kernels::cache_block)};
    case kernels::CacheType::q4_0: // two a byte, of whole blocks
        return {ceil_div(head_dim, kernels::cache_block) * kernels::cache_block / 2, 1,
                ceil_div(head_dim, kernels::cache_block)};
    }
    __builtin_unreachable();
}

/// Calls move(place in the row, place in the half, bytes) for all that position `slot` has there.
/// Keys lie across positions, values along the head; scales are (block, position) in both.
template <class Row, class Half, class Move>
void for_each_piece(const Numbers& numbers, bool is_key, std::size_t slot, Row* row, Half* half,
                    Move move) noexcept {
    const std::size_t n_bytes = numbers.n * numbers.bytes;
    if (is_key) {
        for (std::size_t d = 0; d < numbers.n; ++d)
            move(row + d * numbers.bytes, half + (d * page_positions + slot) * numbers.bytes,
                 numbers.bytes);
    } else {
        move(row, half + slot * n_bytes, n_bytes);
    }
    for (std::size_t block = 0; block < numbers.n_scales; ++block)
        move(row + n_bytes + block * scale_bytes,
             half + page_positions * n_bytes + (block * page_positions + slot) * scale_bytes,
             scale_bytes);
}

} // namespace

std::size_t KvCache::row_bytes(kernels::CacheTypes types, std::size_t head_dim) noexcept {
    return kernels::page_bytes(types, head_dim) / page_positions;
}

void KvCache::read_rows(std::int32_t sequence, std::size_t n_positions, std::size_t layer,
                        std::size_t kv_head, std::span<std::byte> rows) const noexcept {
    const Numbers of_keys = numbers_of(shape_.types.keys, shape_.head_dim);
    const Numbers of_values = numbers_of(shape_.types.values, shape_.head_dim);
    const std::size_t n_bytes = row_bytes(shape_.types, shape_.head_dim);
    const std::size_t n_of_key = key_bytes_ / page_positions;
    expects(rows.size() == n_positions * n_bytes, "rows have the cache's size");
    const auto move = [](std::byte* row, const std::byte* half, std::size_t n) {
        std::memcpy(row, half, n);
    };
    for (std::size_t p = 0; p < n_positions; ++p) {
        const std::byte* keys = data_.data() + offset(sequence, p / page_positions, layer, kv_head);
        std::byte* row = rows.data() + p * n_bytes;
        for_each_piece(of_keys, true, p % page_positions, row, keys, move);
        for_each_piece(of_values, false, p % page_positions, row + n_of_key, keys + key_bytes_,
                       move);
    }
}

void KvCache::write_rows(std::int32_t sequence, std::size_t n_positions, std::size_t layer,
                         std::size_t kv_head, std::span<const std::byte> rows) noexcept {
    const Numbers of_keys = numbers_of(shape_.types.keys, shape_.head_dim);
    const Numbers of_values = numbers_of(shape_.types.values, shape_.head_dim);
    const std::size_t n_bytes = row_bytes(shape_.types, shape_.head_dim);
    const std::size_t n_of_key = key_bytes_ / page_positions;
    expects(rows.size() == n_positions * n_bytes, "rows have the cache's size");
    const auto move = [](const std::byte* row, std::byte* half, std::size_t n) {
        std::memcpy(half, row, n);
    };
    for (std::size_t p = 0; p < n_positions; ++p) {
        std::byte* keys = data_.data() + offset(sequence, p / page_positions, layer, kv_head);
        const std::byte* row = rows.data() + p * n_bytes;
        for_each_piece(of_keys, true, p % page_positions, row, keys, move);
        for_each_piece(of_values, false, p % page_positions, row + n_of_key, keys + key_bytes_,
                       move);
    }
}

} // namespace pillar::cache
