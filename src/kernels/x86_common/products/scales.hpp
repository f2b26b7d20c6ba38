#pragma once
// Scales of the sub-blocks as they are stored: six-bit fields in a segment's header (Q3_K, Q4_K,
// Q5_K, IQ4_XS), or a byte for each 16 weights beside the block (Q2_K, Q6_K).

#include "bits.hpp"
#include "packing.hpp"

namespace pillar::kernels::x86 {
namespace {

/// A shuffle that makes each 32-bit lane (byte a, 0, byte b, 0) of its own bytes.
inline Ints two_bytes_of_lane(std::size_t a, std::size_t b) noexcept {
    static constexpr std::int32_t lane_begin[4] = {0x00000000, 0x00040004, 0x00080008, 0x000C000C};
    const auto pair = static_cast<std::int32_t>(0x80008000u | static_cast<std::uint32_t>(a) |
                                                static_cast<std::uint32_t>(b) << 16);
    return plus_32(fill_32(pair), repeat_16_bytes(lane_begin));
}

/// Byte k of each 32-bit lane as an int16, twice.
inline Ints byte_twice(Ints v, std::size_t k) noexcept {
    return shuffle_bytes(v, two_bytes_of_lane(k, k));
}
/// Bytes k and k + 1 of each 32-bit lane as two int16.
inline Ints two_bytes(Ints v, std::size_t k) noexcept {
    return shuffle_bytes(v, two_bytes_of_lane(k, k + 1));
}
/// Byte k of each 32-bit lane as an int32.
inline Ints byte_of_lane(Ints v, std::size_t k) noexcept {
    return shift_right_32<16>(byte_twice(v, k));
}

/// Sixteen 6-bit numbers a row: number i is byte i % 4 of the row's lane in vector i / 4. Packed
/// four in three: three vectors.
struct SixBitFields {
    static constexpr std::size_t bytes = 3 * vector_bytes;
    Ints v[4];

    static SixBitFields load(const std::byte* p) noexcept {
        SixBitFields fields;
        unpack_four_in_three(load_bytes(p), load_bytes(p + vector_bytes),
                             load_bytes(p + 2 * vector_bytes), fields.v);
        return fields;
    }
};

/// The numbers of all rows before packing.
struct FieldBytes {
    std::uint8_t v[4][vector_bytes];
    void set(std::size_t row, std::size_t i, std::int32_t value) noexcept {
        v[i / 4][4 * row + i % 4] = static_cast<std::uint8_t>(value);
    }
    std::byte* pack(std::byte* out) const noexcept {
        pack_four_in_three({v[0], v[1], v[2], v[3]}, vector_bytes,
                           reinterpret_cast<std::uint8_t*>(out));
        return out + SixBitFields::bytes;
    }
};

} // namespace
} // namespace pillar::kernels::x86
