#pragma once
// exp_f32 of core/elementary.hpp, eight lanes at a time with the same operations.

#include "simd.hpp"

#include "pillar/core/elementary.hpp"

namespace pillar::kernels::avx2 {
namespace {

inline Floats exp_floats(Floats x) noexcept {
    using namespace exp_f32_constants;
    const Floats shift = _mm256_set1_ps(round_shift);
    const Floats n = _mm256_sub_ps(_mm256_fmadd_ps(x, _mm256_set1_ps(log2_e), shift), shift);
    Floats r = _mm256_fmadd_ps(n, _mm256_set1_ps(-ln2_high), x);
    r = _mm256_fmadd_ps(n, _mm256_set1_ps(-ln2_low), r);
    Floats p = _mm256_fmadd_ps(_mm256_set1_ps(c7), r, _mm256_set1_ps(c6));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(c5));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(c4));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(c3));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(c2));
    p = _mm256_add_ps(_mm256_fmadd_ps(p, _mm256_mul_ps(r, r), r), _mm256_set1_ps(1.0f));

    const Ints bias = _mm256_set1_epi32(127);
    const Ints whole = _mm256_cvttps_epi32(n);
    const Ints half = _mm256_srai_epi32(whole, 1);
    const Ints scale_a = _mm256_slli_epi32(_mm256_add_epi32(half, bias), 23);
    const Ints scale_b =
        _mm256_slli_epi32(_mm256_add_epi32(_mm256_sub_epi32(whole, half), bias), 23);
    Floats y =
        _mm256_mul_ps(_mm256_mul_ps(p, _mm256_castsi256_ps(scale_a)), _mm256_castsi256_ps(scale_b));

    const Floats infinity = _mm256_castsi256_ps(_mm256_set1_epi32(0x7F800000));
    y = _mm256_blendv_ps(y, infinity, _mm256_cmp_ps(x, _mm256_set1_ps(highest), _CMP_GT_OQ));
    y = _mm256_andnot_ps(_mm256_cmp_ps(x, _mm256_set1_ps(lowest), _CMP_LT_OQ), y);
    return _mm256_blendv_ps(y, x, _mm256_cmp_ps(x, x, _CMP_UNORD_Q)); // NaN stays
}

/// The same for one number.
inline float exp_float(float x) noexcept {
    return _mm256_cvtss_f32(exp_floats(_mm256_set1_ps(x)));
}

} // namespace
} // namespace pillar::kernels::avx2
