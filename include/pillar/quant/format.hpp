#pragma once
// What the block formats have in common. A format is a struct (formats/*.hpp) that knows the layout
// of its block and hands out 32 weights at a time as integers, which is all that decoding and
// integer products need. Everything is inlined always: a file compiled for a newer instruction set
// must not lend its copy to the rest of the program.

#include "pillar/core/half.hpp"
#include "pillar/quant/type.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace pillar::quant {

static_assert(std::endian::native == std::endian::little, "model files are little-endian");

inline constexpr std::size_t sub_block_weights = 32;

/// How weights follow from the integers of a sub-block; k = 0…31, h = k / 16.
enum class Rule : std::uint8_t {
    scaled,     ///< d · q[k]
    affine,     ///< d · q[k] + m
    sub_scaled, ///< (d · scale[h]) · q[k]
    sub_affine, ///< (d · scale[h]) · q[k] − m · min[h]
};

/// 32 weights as integers. scale and min are set by the rules that have them, both halves always.
struct SubBlock {
    std::int8_t q[sub_block_weights];
    std::int32_t scale[2];
    std::int32_t min[2];
};

/// A block's f16 factors as f32; m is the block's own minimum, or dmin of a super-block.
struct Factors {
    float d = 0.0f;
    float m = 0.0f;
};

[[gnu::always_inline]] inline const std::uint8_t* bytes_at(const std::byte* block,
                                                           std::size_t offset) noexcept {
    return reinterpret_cast<const std::uint8_t*>(block) + offset;
}

[[gnu::always_inline]] inline std::uint16_t load_u16(const std::byte* block,
                                                     std::size_t offset) noexcept {
    std::uint16_t value;
    std::memcpy(&value, block + offset, sizeof value);
    return value;
}

[[gnu::always_inline]] inline std::uint32_t load_u32(const std::byte* block,
                                                     std::size_t offset) noexcept {
    std::uint32_t value;
    std::memcpy(&value, block + offset, sizeof value);
    return value;
}

[[gnu::always_inline]] inline float load_f16(const std::byte* block, std::size_t offset) noexcept {
    return f16_to_f32(load_u16(block, offset));
}

/// The 32 numbers of 16 bytes: low nibbles first, then high ones. (One loop over both halves:
/// compilers make SIMD of it, of two loops over 16 they make single bytes.)
[[gnu::always_inline]] inline void load_nibbles(const std::byte* block, std::size_t offset,
                                                std::uint8_t (&out)[sub_block_weights]) noexcept {
    std::uint8_t twice[sub_block_weights];
    std::memcpy(twice, block + offset, 16);
    std::memcpy(twice + 16, block + offset, 16);
    for (std::size_t k = 0; k < sub_block_weights; ++k)
        out[k] = static_cast<std::uint8_t>(k < 16 ? twice[k] & 15 : twice[k] >> 4);
}

} // namespace pillar::quant
