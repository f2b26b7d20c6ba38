#pragma once
// What pages' partial results become: joined in pairs, then divided by the sum of weights. Written
// once for all instruction sets, with the vectors of `Simd` (attention_kernel.hpp).

#include "cached_pages.hpp"

namespace pillar::kernels {
namespace {

constexpr std::size_t less_of(std::size_t a, std::size_t b) noexcept {
    return a < b ? a : b;
}

/// Family::combine.
template <class Simd>
void combine_with(PartialAttention& a, const PartialAttention& b, std::size_t head_dim) noexcept {
    constexpr std::size_t lanes = Simd::lanes;
    const float m = b.m > a.m ? b.m : a.m;
    const float factor_a = Simd::exp_float(a.m - m);
    const float factor_b = Simd::exp_float(b.m - m);
    a.m = m;
    a.l = __builtin_fmaf(b.l, factor_b, a.l * factor_a);
    for (std::size_t d = 0; d < head_dim; d += lanes) {
        const std::size_t n = less_of(head_dim - d, lanes);
        const auto scaled = Simd::mul(Simd::load_first(a.o + d, n), Simd::set1(factor_a));
        Simd::store_first(a.o + d, n,
                          Simd::fma(Simd::load_first(b.o + d, n), Simd::set1(factor_b), scaled));
    }
}

/// Family::finish_attention.
template <class Simd>
void finish_attention_with(const PartialAttention& a, std::size_t head_dim, float* out) noexcept {
    const auto r = Simd::set1(1.0f / a.l);
    for (std::size_t d = 0; d < head_dim; d += Simd::lanes) {
        const std::size_t n = less_of(head_dim - d, Simd::lanes);
        Simd::store_first(out + d, n, Simd::mul(Simd::load_first(a.o + d, n), r));
    }
}

} // namespace
} // namespace pillar::kernels
