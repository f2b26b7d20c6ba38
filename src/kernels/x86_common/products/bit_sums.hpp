#pragma once
// Σ ±x of a block of 32 activations for the bits of 32 rows (bit_planes.hpp) by tables: for each 4
// activations the 16 sums that 4 bits choose, looked up by byte shuffles for 32 rows at once. They
// are made once for each block of the column and serve all rows.
//
// A sum takes two bytes, 32 · high + low; both are added for 8 groups of 4 before they are put
// together. With AVX-512 a vector holds two planes' bits of the 32 rows: groups of more rows, or
// two of them, would be more streams of weights, and larger tables leave the first level to no
// weights.

#include "bit_planes.hpp"

namespace pillar::kernels::x86 {
namespace {

struct alignas(32) BitSums {
    std::uint8_t table[2][2][4][16]; ///< of nibble, low or high part, plane
    float origin;

    /// The tables of 32 activations, whose sum is `sum`.
    static BitSums of(const std::int8_t* x, std::int32_t sum) noexcept;
    /// Σ ±x as f32, exact. dots[v] is of the rows that `load_rows` takes as vector v.
    void dot(const std::byte* planes, Floats* dots) const noexcept;

  private:
    /// Every sum is stored + 508, so that none is below 0: the bytes' sums fit 8 bits, and twice
    /// their number, since Σ ±x = 2 · Σ(chosen) − Σ x, 15.
    static constexpr int max_sum = 4 * 127;
    static_assert(8 * (2 * max_sum / 32) < 256 && 8 * 31 < 256 && 2 * 8 * 2 * max_sum < 32768);
};

// Vector v has rows 8v … 8v + 7, with AVX-512 also 16 + 8v … 16 + 8v + 7: so they fall out of the
// interleaving of bytes in each 128 bits.
#ifdef __AVX512VNNI__
inline Floats load_rows(const float* rows, std::size_t v) noexcept {
    return _mm512_insertf32x8(_mm512_castps256_ps512(_mm256_loadu_ps(rows + 8 * v)),
                              _mm256_loadu_ps(rows + 16 + 8 * v), 1);
}
inline void store_rows(float* rows, std::size_t v, Floats sums) noexcept {
    _mm256_storeu_ps(rows + 8 * v, _mm512_castps512_ps256(sums));
    _mm256_storeu_ps(rows + 16 + 8 * v, _mm512_extractf32x8_ps(sums, 1));
}
/// The rows' f16.
inline Floats load_row_halves(const std::byte* rows, std::size_t v) noexcept {
    return _mm512_cvtph_ps(
        _mm256_inserti128_si256(_mm256_castsi128_si256(avx2::load_16_bytes(rows + 16 * v)),
                                avx2::load_16_bytes(rows + 32 + 16 * v), 1));
}
#else
inline Floats load_rows(const float* rows, std::size_t v) noexcept {
    return _mm256_loadu_ps(rows + lanes * v);
}
inline void store_rows(float* rows, std::size_t v, Floats sums) noexcept {
    _mm256_storeu_ps(rows + lanes * v, sums);
}
/// The rows' f16.
inline Floats load_row_halves(const std::byte* rows, std::size_t v) noexcept {
    return load_halves(rows + 2 * lanes * v);
}
#endif

inline BitSums BitSums::of(const std::int8_t* x, std::int32_t sum) noexcept {
    // Nibble h of plane k chooses from activations 16h + 4j + k, j = 0 … 3.
    const __m128i by_plane = _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    // 16-bit lane n, n = 0 … 15: bits 0 and 1 of n as bytes, and bits 2 and 3.
    const avx2::Ints first_bits = _mm256_set1_epi64x(0x0101'0100'0001'0000);
    const avx2::Ints last_bits =
        _mm256_setr_epi64x(0, 0x0001'0001'0001'0001, 0x0100'0100'0100'0100, 0x0101'0101'0101'0101);
    BitSums out;
    for (std::size_t half = 0; half < 2; ++half) {
        std::int16_t pairs[8];
        _mm_storeu_si128(reinterpret_cast<__m128i*>(pairs),
                         _mm_shuffle_epi8(avx2::load_16_bytes(x + 16 * half), by_plane));
        for (std::size_t plane = 0; plane < 4; ++plane) {
            const avx2::Ints first =
                _mm256_maddubs_epi16(first_bits, avx2::fill_16(pairs[2 * plane]));
            const avx2::Ints last =
                _mm256_maddubs_epi16(last_bits, avx2::fill_16(pairs[2 * plane + 1]));
            const avx2::Ints sums =
                avx2::plus_16(avx2::plus_16(first, last), avx2::fill_16(max_sum));
            const avx2::Ints parts = _mm256_packus_epi16(avx2::both(sums, avx2::fill_16(31)),
                                                         avx2::shift_right_16<5>(sums));
            const avx2::Ints low_high = _mm256_permute4x64_epi64(parts, 0xD8); // 16 of each
            _mm_store_si128(reinterpret_cast<__m128i*>(out.table[half][0][plane]),
                            _mm256_castsi256_si128(low_high));
            _mm_store_si128(reinterpret_cast<__m128i*>(out.table[half][1][plane]),
                            _mm256_extracti128_si256(low_high, 1));
        }
    }
    out.origin = 0x1p23f + static_cast<float>(2 * 8 * max_sum + sum);
    return out;
}

// Twice 32 · high + low are the sums; with 0x4B00 above it, n has the bits of the float 2^23 + n.
#ifdef __AVX512VNNI__
[[gnu::always_inline]] inline void BitSums::dot(const std::byte* planes,
                                                Floats* dots) const noexcept {
    Ints low = fill_8(0), high = low;
    unrolled<2>([&](std::size_t pair) __attribute__((always_inline)) { // of planes
        const Ints bytes = load_bytes(planes + 2 * plane_rows * pair);
        const Ints nibble[2] = {bits<0>(bytes, 15), bits<4>(bytes, 15)};
        unrolled<2>([&](std::size_t half) __attribute__((always_inline)) {
            const auto look_up = [&](std::size_t part) __attribute__((always_inline)) {
                const Ints tables =
                    _mm512_castsi256_si512(load_32_bytes(table[half][part][2 * pair]));
                return shuffle_bytes(_mm512_shuffle_i64x2(tables, tables, 0x50), nibble[half]);
            };
            low = _mm512_add_epi8(low, look_up(0));
            high = _mm512_add_epi8(high, look_up(1));
            asm volatile("" : "+v"(low), "+v"(high)); // now: not all tables first, on the stack
        });
    });
    const auto both_planes = [](Ints v) __attribute__((always_inline)) {
        return _mm256_add_epi8(_mm512_castsi512_si256(v), _mm512_extracti64x4_epi64(v, 1));
    };
    const avx2::Ints lows = both_planes(low), highs = both_planes(high);
    const Ints sums = _mm512_maddubs_epi16(
        join(avx2::interleave_low_8(lows, highs), avx2::interleave_high_8(lows, highs)),
        fill_16(2 | 64 << 8));
    const Ints above = fill_16(0x4B00);
    const Floats start = fill(origin);
    dots[0] = _mm512_sub_ps(as_floats(_mm512_unpacklo_epi16(sums, above)), start);
    dots[1] = _mm512_sub_ps(as_floats(_mm512_unpackhi_epi16(sums, above)), start);
}
#else
[[gnu::always_inline]] inline void BitSums::dot(const std::byte* planes,
                                                Floats* dots) const noexcept {
    avx2::Ints low = avx2::fill_8(0), high = low;
    unrolled<4>([&](std::size_t plane) __attribute__((always_inline)) {
        const avx2::Ints bytes = avx2::load_bytes(planes + plane_rows * plane);
        const avx2::Ints nibble[2] = {avx2::bits<0>(bytes, 15), avx2::bits<4>(bytes, 15)};
        unrolled<2>([&](std::size_t half) __attribute__((always_inline)) {
            const auto look_up = [&](std::size_t part) __attribute__((always_inline)) {
                return avx2::shuffle_bytes(avx2::repeat_16_bytes(table[half][part][plane]),
                                           nibble[half]);
            };
            low = _mm256_add_epi8(low, look_up(0));
            high = _mm256_add_epi8(high, look_up(1));
            asm volatile("" : "+v"(low), "+v"(high)); // now: not all tables first, on the stack
        });
    });
    const avx2::Ints factors = avx2::fill_16(2 | 64 << 8), above = avx2::fill_16(0x4B00);
    const avx2::Floats start = avx2::fill(origin);
    const avx2::Ints sums[2] = {_mm256_maddubs_epi16(avx2::interleave_low_8(low, high), factors),
                                _mm256_maddubs_epi16(avx2::interleave_high_8(low, high), factors)};
    unrolled<2>([&](std::size_t i) __attribute__((always_inline)) {
        dots[2 * i] = avx2::minus(avx2::as_floats(avx2::interleave_low_16(sums[i], above)), start);
        dots[2 * i + 1] =
            avx2::minus(avx2::as_floats(avx2::interleave_high_16(sums[i], above)), start);
    });
}
#endif

} // namespace
} // namespace pillar::kernels::x86
