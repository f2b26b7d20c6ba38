#pragma once
// 32 floats to int8: used for activations and for the q8_0 cache.

#include "neon/simd.hpp"

namespace pillar::kernels::neon {
namespace {

inline constexpr std::size_t quantized_vectors = 8; ///< vectors of f32 a block

struct Block {
    Floats v[quantized_vectors];
};
struct QuantizedBlock {
    Bytes low, high;
    float dx;
};

inline Block load_block(const float* p) noexcept {
    Block block;
    for (std::size_t i = 0; i < quantized_vectors; ++i) block.v[i] = vld1q_f32(p + lanes * i);
    return block;
}

/// The largest magnitude's bits: magnitudes order like integers, NaN above infinity.
inline std::uint32_t max_bits(const Block& block) noexcept {
    uint32x4_t m = vdupq_n_u32(0);
    for (const Floats& v : block.v)
        m = vmaxq_u32(m, vbicq_u32(vreinterpretq_u32_f32(v), vdupq_n_u32(0x80000000u)));
    return vmaxvq_u32(m);
}

/// round-half-even(x · inverse) of 16 values. No clamp is needed: |x · inverse| rounds to at most
/// 127.00002.
inline Bytes round_to_bytes(const Floats* v, float inverse) noexcept {
    int16x8_t half[2];
    for (std::size_t i = 0; i < 2; ++i) {
        const int16x4_t low = vmovn_s32(vcvtnq_s32_f32(vmulq_n_f32(v[2 * i], inverse)));
        half[i] = vmovn_high_s32(low, vcvtnq_s32_f32(vmulq_n_f32(v[2 * i + 1], inverse)));
    }
    return vmovn_high_s16(vmovn_s16(half[0]), half[1]);
}

/// The block's int8 and dx = amax / 127. dx is NaN where a value is not finite, 0 where 127 / amax
/// is not finite, both with q = 0.
inline QuantizedBlock quantize_block(const Block& block) noexcept {
    constexpr std::uint32_t infinity_bits = 0x7F800000u;
    const std::uint32_t largest = max_bits(block);
    const float amax = __builtin_bit_cast(float, largest);
    const float inverse = 127.0f / amax;
    if (largest >= infinity_bits) return {vdupq_n_s8(0), vdupq_n_s8(0), __builtin_nanf("")};
    if (__builtin_bit_cast(std::uint32_t, inverse) >= infinity_bits)
        return {vdupq_n_s8(0), vdupq_n_s8(0), 0.0f};
    return {round_to_bytes(block.v, inverse),
            round_to_bytes(block.v + quantized_vectors / 2, inverse), amax / 127.0f};
}

} // namespace
} // namespace pillar::kernels::neon
