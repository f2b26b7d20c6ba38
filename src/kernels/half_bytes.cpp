#include "half_bytes.hpp"

#include "pillar/core/half.hpp"
#include "pillar/core/sizes.hpp"
#include "pillar/kernels/family.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace pillar::kernels {

namespace {

constexpr std::size_t half_block = cache_block / 2;

/// 16 bytes of up to 32 values and the scale.
struct HalfBytes {
    std::uint8_t bytes[half_block] = {};
    std::uint16_t scale = 0;
};

/// The value of the largest magnitude becomes −8; what lies beyond the n values is 0.
HalfBytes quantize(const float* values, std::size_t n) noexcept {
    constexpr std::uint32_t infinity_bits = 0x7F800000u;
    constexpr float round_shift = 12582912.0f; // adding it rounds to an integer, half to even
    HalfBytes block;
    std::uint32_t largest = 0;
    float extreme = 0.0f;
    for (std::size_t k = 0; k < n; ++k) {
        const std::uint32_t magnitude = std::bit_cast<std::uint32_t>(values[k]) & 0x7FFFFFFFu;
        if (magnitude > largest) {
            largest = magnitude;
            extreme = values[k];
        }
    }
    const float inverse = -8.0f / extreme;
    std::fill_n(block.bytes, half_block, std::uint8_t{0x88});
    if (largest >= infinity_bits) {
        block.scale = f32_to_f16(std::numeric_limits<float>::quiet_NaN());
        return block;
    }
    if (!std::isfinite(inverse)) return block;
    block.scale = f32_to_f16(extreme / -8.0f);
    for (std::size_t k = 0; k < n; ++k) {
        const float rounded = (values[k] * inverse + round_shift) - round_shift;
        const auto q = static_cast<unsigned>(std::clamp(rounded, -8.0f, 7.0f) + 8.0f);
        const unsigned shift = k < half_block ? 0 : 4;
        std::uint8_t& byte = block.bytes[k % half_block];
        byte = static_cast<std::uint8_t>((byte & ~(0xFu << shift)) | q << shift);
    }
    return block;
}

/// The scales of a page follow its bytes.
std::uint16_t* scales_of(std::uint8_t* bytes, std::size_t head_dim) noexcept {
    return reinterpret_cast<std::uint16_t*>(bytes + page_positions * half_block *
                                                        ceil_div(head_dim, cache_block));
}

} // namespace

void store_key_halves(const float* key, void* keys, std::size_t head_dim, std::size_t slot,
                      std::size_t begin, std::size_t end) noexcept {
    auto* const bytes = static_cast<std::uint8_t*>(keys);
    for (std::size_t first = begin; first < end; first += cache_block) {
        const HalfBytes block = quantize(key + first, std::min(cache_block, end - first));
        const std::size_t b = first / cache_block;
        for (std::size_t i = 0; i < half_block; ++i)
            bytes[(b * half_block + i) * page_positions + slot] = block.bytes[i];
        scales_of(bytes, head_dim)[b * page_positions + slot] = block.scale;
    }
}

void store_value_halves(const float* value, void* values, std::size_t head_dim, std::size_t slot,
                        std::size_t begin, std::size_t end) noexcept {
    auto* const bytes = static_cast<std::uint8_t*>(values);
    const std::size_t n_blocks = ceil_div(head_dim, cache_block);
    for (std::size_t first = begin; first < end; first += cache_block) {
        const HalfBytes block = quantize(value + first, std::min(cache_block, end - first));
        const std::size_t b = first / cache_block;
        std::copy_n(block.bytes, half_block, bytes + (slot * n_blocks + b) * half_block);
        scales_of(bytes, head_dim)[b * page_positions + slot] = block.scale;
    }
}

} // namespace pillar::kernels
