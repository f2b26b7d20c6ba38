#pragma once
// The family's operators besides products; signatures and meaning are those of Family.

#include "pillar/kernels/family.hpp"

namespace pillar::kernels::neon {

void quantize(Activations& x, std::size_t column, std::size_t block_begin,
              std::size_t block_end) noexcept;

void rms_norm(const float* x, const float* weight, std::size_t n, float eps, float* out) noexcept;
void rope(float* head, const float* cosine, const float* sine, std::size_t n_pairs) noexcept;
void swiglu(const float* gate, const float* up, std::size_t n, float* out) noexcept;
void add(float* x, const float* y, std::size_t n) noexcept;

PartialAttention attend_page(const float* query, const PageView& page, CacheType type,
                             std::size_t head_dim, std::size_t n_visible, float scale,
                             float* scores, float* o) noexcept;
void combine(PartialAttention& a, const PartialAttention& b, std::size_t head_dim) noexcept;
void finish_attention(const PartialAttention& a, std::size_t head_dim, float* out) noexcept;
void store_kv(const float* key, const float* value, void* keys, void* values, CacheType type,
              std::size_t head_dim, std::size_t slot) noexcept;

} // namespace pillar::kernels::neon
