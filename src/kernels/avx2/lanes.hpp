#pragma once
// Sums along one vector: 16 virtual lanes, lane i mod 16 takes term i, then a fixed tree. Two
// vectors are the 16 lanes.

#include "simd.hpp"

namespace pillar::kernels::avx2 {
namespace {

/// (i, i+8), (i, i+4), (i, i+2), (i, i+1).
inline float sum_of_lanes(Floats lanes_0_to_7, Floats lanes_8_to_15) noexcept {
    const Floats eight = _mm256_add_ps(lanes_0_to_7, lanes_8_to_15);
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

} // namespace
} // namespace pillar::kernels::avx2
