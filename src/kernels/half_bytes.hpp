#pragma once
// Blocks of the q4_0 cache: written by every family with the same plain loops, since a token stores
// few of them.

#include <cstddef>
#include <cstdint>

namespace pillar::kernels {

/// Dimensions [begin, end) of a head, whole blocks, at `slot` of a page's keys or values
/// (PageView).
void store_key_halves(const float* key, void* keys, std::size_t head_dim, std::size_t slot,
                      std::size_t begin, std::size_t end) noexcept;
void store_value_halves(const float* value, void* values, std::size_t head_dim, std::size_t slot,
                        std::size_t begin, std::size_t end) noexcept;

} // namespace pillar::kernels
