#pragma once
// Names for the few AVX-512 operations that the kernels share with AVX2; see ../avx2/simd.hpp,
// which these mirror.

#include <cstddef>
#include <cstdint>
#include <cstring>

// g++ 12 takes the deliberately undefined operands of its own intrinsics for mistakes.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif
#include <immintrin.h>
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

namespace pillar::kernels::avx512 {
namespace {

using Ints = __m512i;  ///< 64 bytes, 32 int16 or 16 int32
using Floats = __m512; ///< 16 f32

inline constexpr std::size_t lanes = 16;         ///< f32 or int32 a vector
inline constexpr bool panel_in_registers = true; ///< 16 vectors of sums and a block's weights

constexpr std::size_t smaller(std::size_t a, std::size_t b) noexcept {
    return a < b ? a : b;
}

inline Ints load_bytes(const void* p) noexcept {
    return _mm512_loadu_si512(p);
}
inline __m256i load_32_bytes(const void* p) noexcept {
    return _mm256_loadu_si256(static_cast<const __m256i*>(p));
}
/// Four bytes in every 32-bit lane.
inline Ints broadcast_4_bytes(const void* p) noexcept {
    std::int32_t bits;
    std::memcpy(&bits, p, sizeof bits);
    return _mm512_set1_epi32(bits);
}
/// Sixteen f16 as f32, exact.
inline Floats load_halves(const void* p) noexcept {
    return _mm512_cvtph_ps(load_32_bytes(p));
}

/// x in every lane.
inline Floats fill(float x) noexcept {
    return _mm512_set1_ps(x);
}
inline Ints fill_32(std::int32_t x) noexcept {
    return _mm512_set1_epi32(x);
}
inline Ints fill_16(std::int16_t x) noexcept {
    return _mm512_set1_epi16(x);
}
inline Ints fill_8(int x) noexcept {
    return _mm512_set1_epi8(static_cast<char>(x));
}
/// The same 16 bytes in every 128 bits.
inline Ints repeat_16_bytes(const void* p) noexcept {
    return _mm512_broadcast_i32x4(_mm_loadu_si128(static_cast<const __m128i*>(p)));
}
/// As many small integers as lanes, or twice as many, each made wider.
inline Ints load_u8_as_16(const void* p) noexcept {
    return _mm512_cvtepu8_epi16(load_32_bytes(p));
}
inline Ints load_i8_as_16(const void* p) noexcept {
    return _mm512_cvtepi8_epi16(load_32_bytes(p));
}
inline Ints load_u8_as_32(const void* p) noexcept {
    return _mm512_cvtepu8_epi32(_mm_loadu_si128(static_cast<const __m128i*>(p)));
}
inline Ints load_u16_as_32(const void* p) noexcept {
    return _mm512_cvtepu16_epi32(load_32_bytes(p));
}

/// a · b + c and c − a · b, rounded once.
inline Floats fma(Floats a, Floats b, Floats c) noexcept {
    return _mm512_fmadd_ps(a, b, c);
}
inline Floats fnma(Floats a, Floats b, Floats c) noexcept {
    return _mm512_fnmadd_ps(a, b, c);
}
inline Floats times(Floats a, Floats b) noexcept {
    return _mm512_mul_ps(a, b);
}
inline Floats plus(Floats a, Floats b) noexcept {
    return _mm512_add_ps(a, b);
}
inline Floats to_floats(Ints v) noexcept {
    return _mm512_cvtepi32_ps(v);
}
inline Floats as_floats(Ints v) noexcept {
    return _mm512_castsi512_ps(v);
}

inline Ints both(Ints a, Ints b) noexcept {
    return _mm512_and_si512(a, b);
}
inline Ints either(Ints a, Ints b) noexcept {
    return _mm512_or_si512(a, b);
}
inline Ints plus_32(Ints a, Ints b) noexcept {
    return _mm512_add_epi32(a, b);
}
inline Ints larger_32(Ints a, Ints b) noexcept {
    return _mm512_max_epi32(a, b);
}
inline Ints minus_16(Ints a, Ints b) noexcept {
    return _mm512_sub_epi16(a, b);
}
/// The two products of int16 in each 32-bit lane, added.
inline Ints dot_16(Ints a, Ints b) noexcept {
    return _mm512_madd_epi16(a, b);
}
/// In each 32-bit lane: sum + the products of four unsigned and four signed bytes.
inline Ints dot_bytes(Ints sum, Ints weights, Ints activations) noexcept {
    return _mm512_dpbusd_epi32(sum, weights, activations);
}
template <int n>
inline Ints shift_right_32(Ints v) noexcept {
    return _mm512_srli_epi32(v, n);
}
template <int n>
inline Ints shift_right_signed_32(Ints v) noexcept {
    return _mm512_srai_epi32(v, n);
}
template <int n>
inline Ints shift_left_32(Ints v) noexcept {
    return _mm512_slli_epi32(v, n);
}
template <int n>
inline Ints shift_right_16(Ints v) noexcept {
    return _mm512_srli_epi16(v, n);
}
template <int n>
inline Ints shift_left_16(Ints v) noexcept {
    return _mm512_slli_epi16(v, n);
}
/// Within each 128 bits: byte i of the result is byte places[i] of v, or 0 where that is negative.
inline Ints shuffle_bytes(Ints v, Ints places) noexcept {
    return _mm512_shuffle_epi8(v, places);
}
/// low below high.
inline Ints join(__m256i low, __m256i high) noexcept {
    return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
}

/// Bits [shift, …) of every byte that `mask` keeps; shift + width of the mask ≤ 8.
template <int shift>
inline Ints bits(Ints v, int mask) noexcept {
    return both(shift == 0 ? v : shift_right_16<shift>(v), fill_8(mask));
}

inline __mmask16 first_lanes(std::size_t n) noexcept {
    return static_cast<__mmask16>(n >= lanes ? 0xFFFF : (1u << n) - 1);
}
/// The first n of sixteen floats; the other lanes are +0 and their memory is not touched.
inline Floats load_first(const float* p, std::size_t n) noexcept {
    return _mm512_maskz_loadu_ps(first_lanes(n), p);
}
inline void store_first(float* p, std::size_t n, Floats v) noexcept {
    _mm512_mask_storeu_ps(p, first_lanes(n), v);
}

} // namespace
} // namespace pillar::kernels::avx512
