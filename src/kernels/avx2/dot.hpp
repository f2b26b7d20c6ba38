#pragma once
// Exact integer dot products of one block of 32 with the activations of one column, for 8 rows.
// vpmaddubsw multiplies unsigned weights by signed activations and adds pairs in int16, saturating;
// vpmaddwd adds two such pairs in int32 and multiplies by the sub-block's scale on the way. Nothing
// saturates because |activation| ≤ 127: a pair is at most 2 · max · 127, and as many pairs are
// added in int16 as fit below 32768.

#include "bits.hpp"

namespace pillar::kernels::avx2 {
namespace {

inline constexpr int max_activation = 127;
inline constexpr int max_int16 = 32767;

/// How many of a block's eight vectors can be added in int16: 8 for weights ≤ 15 (30480), 4 for ≤
/// 31 (31496), 2 for ≤ 63 (32004).
constexpr std::size_t vectors_a_sum(int max_weight) noexcept {
    std::size_t n = 8;
    while (n > 1 && static_cast<int>(2 * n) * max_weight * max_activation > max_int16) n /= 2;
    return n;
}

/// The compiler computes v here and not later: the steps of a dot product keep the order they are
/// written in, vector after vector. Left alone, g++ 12 begins with all loads and ends with a tree
/// of additions, which leaves the multipliers idle for a tenth of the time.
inline void in_order(Ints& v) noexcept {
    asm volatile("" : "+x"(v));
}

/// Σ over vectors [first, first + n) of weight · activation, two int16 sums a row.
template <std::size_t n>
inline Ints pair_sums(const Weights& w, std::size_t first, const std::int8_t* x) noexcept {
    Ints sum = _mm256_maddubs_epi16(w.v[first], broadcast_4_bytes(x + 4 * first));
    for (std::size_t j = first + 1; j < first + n; ++j) {
        sum = _mm256_add_epi16(sum, _mm256_maddubs_epi16(w.v[j], broadcast_4_bytes(x + 4 * j)));
        in_order(sum);
    }
    return sum;
}

/// scale_low · Σ of weights 0–15 + scale_high · Σ of weights 16–31, one int32 a row. The scales are
/// int16, twice in each 32-bit lane.
template <class Bits>
inline Ints dot_halves(const Weights& w, const std::int8_t* x, Ints scale_low,
                       Ints scale_high) noexcept {
    constexpr std::size_t n = smaller(vectors_a_sum(Bits::max), 4);
    Ints sum = _mm256_madd_epi16(pair_sums<n>(w, 0, x), scale_low);
    for (std::size_t j = n; j < 8; j += n)
        sum = _mm256_add_epi32(
            sum, _mm256_madd_epi16(pair_sums<n>(w, j, x), j < 4 ? scale_low : scale_high));
    return sum;
}

/// scale · Σ of all 32 weights.
template <class Bits>
inline Ints dot(const Weights& w, const std::int8_t* x, Ints scale) noexcept {
    if constexpr (vectors_a_sum(Bits::max) == 8)
        return _mm256_madd_epi16(pair_sums<8>(w, 0, x), scale);
    else
        return dot_halves<Bits>(w, x, scale, scale);
}

/// Signed weights −128 … 127: magnitude times activation with the weight's sign. A pair is at most
/// 2 · 128 · 127 = 32512.
struct SignedWeights {
    Weights value;
    Weights magnitude;
};

inline SignedWeights with_magnitude(const Weights& value) noexcept {
    SignedWeights w{value, {}};
    for (std::size_t j = 0; j < 8; ++j) w.magnitude.v[j] = _mm256_abs_epi8(value.v[j]);
    return w;
}

inline Ints dot(const SignedWeights& w, const std::int8_t* x, Ints scale) noexcept {
    Ints sum = _mm256_setzero_si256();
    for (std::size_t j = 0; j < 8; ++j) {
        Ints signed_x = _mm256_sign_epi8(broadcast_4_bytes(x + 4 * j), w.value.v[j]);
        in_order(signed_x);
        const Ints pairs = _mm256_maddubs_epi16(w.magnitude.v[j], signed_x);
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, scale));
        in_order(sum);
    }
    return sum;
}

inline Ints int16_ones() noexcept {
    return _mm256_set1_epi16(1);
}

} // namespace
} // namespace pillar::kernels::avx2
