#pragma once
// The family's operators besides products; signatures and meaning are those of Family.

#include "pillar/kernels/family.hpp"

namespace pillar::kernels::neon {

void quantize(Activations& x, std::size_t column, std::size_t block_begin,
              std::size_t block_end) noexcept;

float sum_of_squares(const float* x, std::size_t n) noexcept;
void rms_norm(const float* x, const float* weight, std::size_t n, float eps, float* out) noexcept;
void rope(float* head, const float* cosine, const float* sine, std::size_t n_pairs) noexcept;
void swiglu(const float* gate, const float* up, std::size_t n, float* out) noexcept;
void geglu(const float* gate, const float* up, std::size_t n, float* out) noexcept;
void soft_cap(float* x, std::size_t n, float cap) noexcept;
void swiglu_clamped(const float* gate, const float* up, float alpha, float limit, std::size_t n,
                    float* out) noexcept;
void add(float* x, const float* y, std::size_t n) noexcept;
void add_scaled(float* x, const float* y, float factor, std::size_t n) noexcept;

void attend_page(PageQuery* queries, std::size_t n_queries, const PageView& page, CacheTypes types,
                 std::size_t head_dim, ScoreRule rule, float* scores) noexcept;
void combine(PartialAttention& a, const PartialAttention& b, std::size_t head_dim) noexcept;
void finish_attention(const PartialAttention& a, std::size_t head_dim, float* out) noexcept;
void store_key(const float* key, void* keys, CacheType type, std::size_t head_dim, std::size_t slot,
               std::size_t begin, std::size_t end) noexcept;
void store_value(const float* value, void* values, CacheType type, std::size_t head_dim,
                 std::size_t slot, std::size_t begin, std::size_t end) noexcept;

} // namespace pillar::kernels::neon
