#pragma once
// Attention's operators in the shape that tests want them: whole heads, single queries, and pages
// that own their memory.

#include "pillar/core/half.hpp"
#include "pillar/kernels/family.hpp"

#include <cstring>
#include <vector>

namespace pillar::support {

inline constexpr kernels::CacheType cache_types[] = {
    kernels::CacheType::f32, kernels::CacheType::f16, kernels::CacheType::q8_0,
    kernels::CacheType::q4_0};

inline void store_kv(const kernels::Family& family, const float* key, const float* value,
                     void* keys, void* values, kernels::CacheType type, std::size_t head_dim,
                     std::size_t slot) {
    family.store_key(key, keys, type, head_dim, slot, 0, head_dim);
    family.store_value(value, values, type, head_dim, slot, 0, head_dim);
}

/// One query alone; o has head_dim floats.
inline kernels::PartialAttention attend_page(const kernels::Family& family, const float* query,
                                             const kernels::PageView& page, kernels::CacheType type,
                                             std::size_t head_dim, std::size_t n_visible,
                                             float scale, float* o) {
    std::vector<float> scores(kernels::queries_at_once * kernels::page_positions);
    kernels::PageQuery one{query, 0, n_visible, {0, 0, o}};
    family.attend_page(&one, 1, page, type, head_dim, {scale}, scores.data());
    return one.part;
}

/// Element (row, column) of a cached matrix with rows of `n`; `block` numbers the q8_0 scale's row,
/// `position` its column.
inline float read_cache(const void* data, kernels::CacheType type, std::size_t head_dim,
                        std::size_t index, std::size_t block, std::size_t position) {
    const auto* bytes = static_cast<const std::byte*>(data);
    if (type == kernels::CacheType::f32) return static_cast<const float*>(data)[index];
    if (type == kernels::CacheType::f16)
        return f16_to_f32(static_cast<const std::uint16_t*>(data)[index]);
    std::uint16_t scale;
    std::memcpy(&scale,
                bytes + kernels::page_positions * head_dim +
                    2 * (block * kernels::page_positions + position),
                sizeof scale);
    return f16_to_f32(scale) * static_cast<float>(static_cast<const std::int8_t*>(data)[index]);
}
/// Byte `index` of a q4_0 page, the half of it that dimension d has, and the scale of its block.
inline float read_halves(const void* data, std::size_t head_dim, std::size_t index, std::size_t d,
                         std::size_t position) {
    const auto* bytes = static_cast<const std::uint8_t*>(data);
    const std::size_t n_blocks = (head_dim + 31) / 32;
    std::uint16_t scale;
    std::memcpy(&scale, bytes + 256 * 16 * n_blocks + 2 * (d / 32 * 256 + position), sizeof scale);
    const int q = d % 32 < 16 ? bytes[index] % 16 : bytes[index] / 16;
    return f16_to_f32(scale) * static_cast<float>(q - 8);
}

/// Dimension d of the key (value) of position j of a page.
inline float read_key(const void* keys, kernels::CacheType type, std::size_t head_dim,
                      std::size_t j, std::size_t d) {
    if (type == kernels::CacheType::q4_0)
        return read_halves(keys, head_dim, (d / 32 * 16 + d % 16) * 256 + j, d, j);
    return read_cache(keys, type, head_dim, d * kernels::page_positions + j, d / 32, j);
}
inline float read_value(const void* values, kernels::CacheType type, std::size_t head_dim,
                        std::size_t j, std::size_t d) {
    if (type == kernels::CacheType::q4_0)
        return read_halves(values, head_dim, (j * ((head_dim + 31) / 32) + d / 32) * 16 + d % 16, d,
                           j);
    return read_cache(values, type, head_dim, j * head_dim + d, d / 32, j);
}

} // namespace pillar::support
