#pragma once
// 32 floats to int8: used for activations and for the q8_0 cache.

#include "simd.hpp"

namespace pillar::kernels::avx2 {
namespace {

struct Block {
    Floats v[4];
};

inline Block load_block(const float* p) noexcept {
    Block block;
    for (std::size_t i = 0; i < 4; ++i) block.v[i] = _mm256_loadu_ps(p + lanes * i);
    return block;
}

/// The largest magnitude's bits: magnitudes order like integers, NaN above infinity.
inline std::int32_t max_bits(const Block& block) noexcept {
    const Ints magnitude = _mm256_set1_epi32(0x7FFFFFFF);
    Ints m = _mm256_setzero_si256();
    for (const Floats& v : block.v)
        m = _mm256_max_epi32(m, _mm256_and_si256(_mm256_castps_si256(v), magnitude));
    __m128i four = _mm_max_epi32(_mm256_castsi256_si128(m), _mm256_extracti128_si256(m, 1));
    four = _mm_max_epi32(four, _mm_shuffle_epi32(four, 0x4E));
    four = _mm_max_epi32(four, _mm_shuffle_epi32(four, 0xB1));
    return _mm_cvtsi128_si32(four);
}

/// round-half-even(x · inverse) as 32 bytes. No clamp is needed: |x · inverse| rounds to at most
/// 127.00002.
inline Ints round_to_bytes(const Block& block, float inverse) noexcept {
    Ints q[4];
    for (std::size_t i = 0; i < 4; ++i)
        q[i] = _mm256_cvtps_epi32(_mm256_mul_ps(block.v[i], _mm256_set1_ps(inverse)));
    const Ints bytes =
        _mm256_packs_epi16(_mm256_packs_epi32(q[0], q[1]), _mm256_packs_epi32(q[2], q[3]));
    return _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}

/// The block's int8, dx = amax / 127 in `dx`. NaN where a value is not finite, 0 where 127 / amax
/// is not finite, both with q = 0.
inline Ints quantize_block(const Block& block, float& dx) noexcept {
    constexpr std::int32_t infinity_bits = 0x7F800000;
    const std::int32_t largest = max_bits(block);
    const float amax = __builtin_bit_cast(float, largest);
    const float inverse = 127.0f / amax;
    if (largest >= infinity_bits) {
        dx = __builtin_nanf("");
        return _mm256_setzero_si256();
    }
    if (__builtin_bit_cast(std::int32_t, inverse) >= infinity_bits) {
        dx = 0.0f;
        return _mm256_setzero_si256();
    }
    dx = amax / 127.0f;
    return round_to_bytes(block, inverse);
}

} // namespace
} // namespace pillar::kernels::avx2
