#pragma once
// Names for the few AVX2 operations that all kernels here share. Everything in this folder's
// headers has internal linkage: these files are compiled for AVX2, FMA and F16C, and none of their
// code may be what the linker keeps for the rest of the program. For the same reason they use no
// function templates or inline functions of the standard library.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <immintrin.h>

namespace pillar::kernels::avx2 {
namespace {

using Ints = __m256i;  ///< 32 bytes, 16 int16 or 8 int32
using Floats = __m256; ///< 8 f32

inline constexpr std::size_t lanes = 8;           ///< f32 or int32 a vector
inline constexpr bool panel_in_registers = false; ///< 16 vectors of sums and a block's weights

constexpr std::size_t smaller(std::size_t a, std::size_t b) noexcept {
    return a < b ? a : b;
}

inline Ints load_bytes(const void* p) noexcept {
    return _mm256_loadu_si256(static_cast<const Ints*>(p));
}
inline __m128i load_16_bytes(const void* p) noexcept {
    return _mm_loadu_si128(static_cast<const __m128i*>(p));
}
/// Four bytes in every 32-bit lane.
inline Ints broadcast_4_bytes(const void* p) noexcept {
    std::int32_t bits;
    std::memcpy(&bits, p, sizeof bits);
    return _mm256_set1_epi32(bits);
}
/// Eight f16 as f32, exact.
inline Floats load_halves(const void* p) noexcept {
    return _mm256_cvtph_ps(load_16_bytes(p));
}

/// x in every lane.
inline Floats fill(float x) noexcept {
    return _mm256_set1_ps(x);
}
inline Ints fill_32(std::int32_t x) noexcept {
    return _mm256_set1_epi32(x);
}
inline Ints fill_16(std::int16_t x) noexcept {
    return _mm256_set1_epi16(x);
}
inline Ints fill_8(int x) noexcept {
    return _mm256_set1_epi8(static_cast<char>(x));
}
/// The same 16 bytes in every 128 bits.
inline Ints repeat_16_bytes(const void* p) noexcept {
    return _mm256_broadcastsi128_si256(load_16_bytes(p));
}
/// As many small integers as lanes, or twice as many, each made wider.
inline Ints load_u8_as_16(const void* p) noexcept {
    return _mm256_cvtepu8_epi16(load_16_bytes(p));
}
inline Ints load_i8_as_16(const void* p) noexcept {
    return _mm256_cvtepi8_epi16(load_16_bytes(p));
}
inline Ints load_u8_as_32(const void* p) noexcept {
    return _mm256_cvtepu8_epi32(_mm_loadl_epi64(static_cast<const __m128i*>(p)));
}
inline Ints load_u16_as_32(const void* p) noexcept {
    return _mm256_cvtepu16_epi32(load_16_bytes(p));
}

/// a · b + c and c − a · b, rounded once.
inline Floats fma(Floats a, Floats b, Floats c) noexcept {
    return _mm256_fmadd_ps(a, b, c);
}
inline Floats fnma(Floats a, Floats b, Floats c) noexcept {
    return _mm256_fnmadd_ps(a, b, c);
}
inline Floats times(Floats a, Floats b) noexcept {
    return _mm256_mul_ps(a, b);
}
inline Floats plus(Floats a, Floats b) noexcept {
    return _mm256_add_ps(a, b);
}
inline Floats minus(Floats a, Floats b) noexcept {
    return _mm256_sub_ps(a, b);
}
inline Floats to_floats(Ints v) noexcept {
    return _mm256_cvtepi32_ps(v);
}
inline Floats as_floats(Ints v) noexcept {
    return _mm256_castsi256_ps(v);
}

inline Ints both(Ints a, Ints b) noexcept {
    return _mm256_and_si256(a, b);
}
inline Ints either(Ints a, Ints b) noexcept {
    return _mm256_or_si256(a, b);
}
inline Ints plus_32(Ints a, Ints b) noexcept {
    return _mm256_add_epi32(a, b);
}
inline Ints plus_16(Ints a, Ints b) noexcept {
    return _mm256_add_epi16(a, b);
}
inline Ints larger_32(Ints a, Ints b) noexcept {
    return _mm256_max_epi32(a, b);
}
inline Ints minus_16(Ints a, Ints b) noexcept {
    return _mm256_sub_epi16(a, b);
}
/// The two products of int16 in each 32-bit lane, added.
inline Ints dot_16(Ints a, Ints b) noexcept {
    return _mm256_madd_epi16(a, b);
}
template <int n>
inline Ints shift_right_32(Ints v) noexcept {
    return _mm256_srli_epi32(v, n);
}
template <int n>
inline Ints shift_right_signed_32(Ints v) noexcept {
    return _mm256_srai_epi32(v, n);
}
template <int n>
inline Ints shift_left_32(Ints v) noexcept {
    return _mm256_slli_epi32(v, n);
}
template <int n>
inline Ints shift_right_16(Ints v) noexcept {
    return _mm256_srli_epi16(v, n);
}
template <int n>
inline Ints shift_left_16(Ints v) noexcept {
    return _mm256_slli_epi16(v, n);
}
#ifdef __AVXVNNI__
/// In each 32-bit lane: sum + the products of four unsigned and four signed bytes.
inline Ints dot_bytes(Ints sum, Ints weights, Ints activations) noexcept {
    return _mm256_dpbusd_avx_epi32(sum, weights, activations);
}
#endif
/// Within each 128 bits: byte i of the result is byte places[i] of v, or 0 where that is negative.
inline Ints shuffle_bytes(Ints v, Ints places) noexcept {
    return _mm256_shuffle_epi8(v, places);
}
/// Within each 128 bits: the elements of the low, or high, halves of a and b in turns.
inline Ints interleave_low_8(Ints a, Ints b) noexcept {
    return _mm256_unpacklo_epi8(a, b);
}
inline Ints interleave_high_8(Ints a, Ints b) noexcept {
    return _mm256_unpackhi_epi8(a, b);
}
inline Ints interleave_low_16(Ints a, Ints b) noexcept {
    return _mm256_unpacklo_epi16(a, b);
}
inline Ints interleave_high_16(Ints a, Ints b) noexcept {
    return _mm256_unpackhi_epi16(a, b);
}

/// Bits [shift, …) of every byte that `mask` keeps; shift + width of the mask ≤ 8.
template <int shift>
inline Ints bits(Ints v, int mask) noexcept {
    const Ints shifted = shift == 0 ? v : shift_right_16<shift>(v);
    return _mm256_and_si256(shifted, _mm256_set1_epi8(static_cast<char>(mask)));
}

/// The first n lanes all ones, the others zero; n ≤ 8.
inline Ints first_lanes(std::size_t n) noexcept {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)),
                              _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
/// The first n of eight floats; the other lanes are +0 and their memory is not touched.
inline Floats load_first(const float* p, std::size_t n) noexcept {
    return n >= lanes ? _mm256_loadu_ps(p) : _mm256_maskload_ps(p, first_lanes(n));
}
inline void store_first(float* p, std::size_t n, Floats v) noexcept {
    if (n >= lanes)
        _mm256_storeu_ps(p, v);
    else
        _mm256_maskstore_ps(p, first_lanes(n), v);
}

} // namespace
} // namespace pillar::kernels::avx2
