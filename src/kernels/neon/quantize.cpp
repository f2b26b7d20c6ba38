// Activations to int8, 32 at a time.

#include "../views.hpp"
#include "operators.hpp"
#include "simd.hpp"

namespace pillar::kernels::neon {
namespace {

inline constexpr std::size_t block_vectors = block_size / lanes;

struct Block {
    Floats v[block_vectors];
};

/// The 32 values of block b of a slice, zeros where the slice does not reach.
inline Block load_block(const QuantizeView& view, const Slice& slice, std::size_t b) noexcept {
    const std::size_t column = (slice.begin / block_size + b) * block_size;
    const std::size_t begin = column < slice.begin ? slice.begin : column;
    const std::size_t end = smaller(column + block_size, slice.end);
    float part[block_size] = {};
    const float* values = part;
    if (end - begin == block_size)
        values = view.x + (column - view.origin);
    else
        std::memcpy(part + (begin - column), view.x + (begin - view.origin),
                    (end - begin) * sizeof(float));
    Block block;
    for (std::size_t i = 0; i < block_vectors; ++i) block.v[i] = vld1q_f32(values + lanes * i);
    return block;
}

/// The largest magnitude's bits: magnitudes order like integers, NaN above infinity.
inline std::uint32_t largest_bits(const Block& block) noexcept {
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

/// Write q and its sums.
inline void store_block(const QuantizeView& view, std::size_t b, Bytes low, Bytes high,
                        float dx) noexcept {
    const std::size_t at = b * view.stride;
    const std::int16_t low_sum = vaddlvq_s8(low);
    const std::int16_t high_sum = vaddlvq_s8(high);
    vst1q_s8(view.q + at * block_size, low);
    vst1q_s8(view.q + at * block_size + 16, high);
    view.scale[at] = dx;
    view.sum[at] = low_sum + high_sum;
    view.half_sum[2 * at] = low_sum;
    view.half_sum[2 * at + 1] = high_sum;
}

} // namespace

void quantize(Activations& x, std::size_t column, std::size_t block_begin,
              std::size_t block_end) noexcept {
    constexpr std::uint32_t infinity_bits = 0x7F800000u;
    const QuantizeView view = view_quantize(x, column);
    const Bytes zero = vdupq_n_s8(0);
    std::size_t s = 0;
    for (std::size_t b = block_begin; b < block_end; ++b) {
        while (b >= view.block_begin[s + 1]) ++s;
        const Block block = load_block(view, view.slices[s], b - view.block_begin[s]);
        const std::uint32_t largest = largest_bits(block);
        const float amax = __builtin_bit_cast(float, largest);
        const float inverse = 127.0f / amax;
        if (largest >= infinity_bits)
            store_block(view, b, zero, zero, __builtin_nanf(""));
        else if (__builtin_bit_cast(std::uint32_t, inverse) >= infinity_bits)
            store_block(view, b, zero, zero, 0.0f);
        else
            store_block(view, b, round_to_bytes(block.v, inverse),
                        round_to_bytes(block.v + block_vectors / 2, inverse), amax / 127.0f);
    }
}

} // namespace pillar::kernels::neon
