#pragma once
// Scales of the sub-blocks of 8 rows: six-bit fields in a segment's header (Q3_K, Q4_K, Q5_K,
// IQ4_XS), or a byte for each 16 weights beside the block (Q2_K, Q6_K). Integer dot products want a
// scale as int16, twice in the row's 32-bit lane.

#include "bits.hpp"
#include "packing.hpp"

namespace pillar::kernels::avx2 {
namespace {

/// A shuffle that makes each 32-bit lane (byte a, 0, byte b, 0) of its own bytes.
inline Ints two_bytes_of_lane(std::size_t a, std::size_t b) noexcept {
    const auto pair = static_cast<std::int32_t>(0x80008000u | static_cast<std::uint32_t>(a) |
                                                static_cast<std::uint32_t>(b) << 16);
    return _mm256_add_epi32(_mm256_set1_epi32(pair),
                            _mm256_setr_epi32(0x00000000, 0x00040004, 0x00080008, 0x000C000C,
                                              0x00000000, 0x00040004, 0x00080008, 0x000C000C));
}

/// Byte k of each 32-bit lane as an int16, twice.
inline Ints byte_twice(Ints v, std::size_t k) noexcept {
    return _mm256_shuffle_epi8(v, two_bytes_of_lane(k, k));
}
/// Bytes k and k + 1 of each 32-bit lane as two int16.
inline Ints two_bytes(Ints v, std::size_t k) noexcept {
    return _mm256_shuffle_epi8(v, two_bytes_of_lane(k, k + 1));
}

/// The scales of the first and of the second 16 weights, from both as int16 in one 32-bit lane.
struct ScalePair {
    Ints both, low, high;
};
inline ScalePair scale_pair(Ints both) noexcept {
    return {both,
            _mm256_or_si256(_mm256_and_si256(both, _mm256_set1_epi32(0xFFFF)),
                            _mm256_slli_epi32(both, 16)),
            _mm256_or_si256(_mm256_srli_epi32(both, 16),
                            _mm256_and_si256(both, _mm256_set1_epi32(~0xFFFF)))};
}

/// Sixteen 6-bit numbers a row: number i is byte i % 4 of the row's lane in vector i / 4. Packed
/// four in three: 96 bytes for 8 rows.
struct SixBitFields {
    static constexpr std::size_t bytes = 3 * 32;
    Ints v[4];

    static SixBitFields load(const std::byte* p) noexcept {
        SixBitFields fields;
        unpack_four_in_three(load_bytes(p), load_bytes(p + 32), load_bytes(p + 64), fields.v);
        return fields;
    }
};

/// The numbers of 8 rows before packing.
struct FieldBytes {
    std::uint8_t v[4][32];
    void set(std::size_t row, std::size_t i, std::int32_t value) noexcept {
        v[i / 4][4 * row + i % 4] = static_cast<std::uint8_t>(value);
    }
    std::byte* pack(std::byte* out) const noexcept {
        pack_four_in_three({v[0], v[1], v[2], v[3]}, 32, reinterpret_cast<std::uint8_t*>(out));
        return out + SixBitFields::bytes;
    }
};

} // namespace
} // namespace pillar::kernels::avx2
