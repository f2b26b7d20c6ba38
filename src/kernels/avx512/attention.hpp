#pragma once
// The family's own attention; signatures and meaning are those of Family.

#include "pillar/kernels/family.hpp"

namespace pillar::kernels::avx512 {

void attend_page(PageQuery* queries, std::size_t n_queries, const PageView& page, CacheTypes types,
                 std::size_t head_dim, ScoreRule rule, float* scores) noexcept;
void combine(PartialAttention& a, const PartialAttention& b, std::size_t head_dim) noexcept;
void finish_attention(const PartialAttention& a, std::size_t head_dim, float* out) noexcept;

} // namespace pillar::kernels::avx512
