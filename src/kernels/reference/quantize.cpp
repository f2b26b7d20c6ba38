// Activations to int8, 32 at a time.

#include "clones.hpp"
#include "operators.hpp"

#include <algorithm>
#include <bit>
#include <limits>

namespace pillar::kernels::reference {

namespace {

constexpr std::uint32_t infinity_bits = 0x7F800000u;
constexpr float round_shift =
    12582912.0f; // 1.5 · 2^23: adding it rounds to an integer, half to even

/// The 32 values of block b of a slice, zeros where the slice does not reach.
[[gnu::always_inline]] inline void load_block(const float* x, std::size_t origin,
                                              const Slice& slice, std::size_t block,
                                              float (&values)[block_size]) noexcept {
    const std::size_t column = (slice.first_block() + block) * block_size;
    const std::size_t begin = std::max(column, slice.begin);
    const std::size_t end = std::min(column + block_size, slice.end);
    for (float& value : values) value = 0.0f;
    for (std::size_t k = begin; k < end; ++k) values[k - column] = x[k - origin];
}

/// q of one block and its dx.
[[gnu::always_inline]] inline float quantize_block(const float (&values)[block_size],
                                                   std::int8_t* q) noexcept {
    std::uint32_t largest = 0;
    for (const float value : values)
        largest = std::max(largest, std::bit_cast<std::uint32_t>(value) & 0x7FFFFFFFu);
    const float amax = std::bit_cast<float>(largest);
    const float inverse = 127.0f / amax;

    if (largest >= infinity_bits || std::bit_cast<std::uint32_t>(inverse) >= infinity_bits) {
        std::fill_n(q, block_size, std::int8_t{0});
        return largest >= infinity_bits ? std::numeric_limits<float>::quiet_NaN() : 0.0f;
    }
    for (std::size_t k = 0; k < block_size; ++k) {
        const float rounded = (values[k] * inverse + round_shift) - round_shift;
        q[k] = static_cast<std::int8_t>(std::clamp(rounded, -127.0f, 127.0f));
    }
    return amax / 127.0f;
}

} // namespace

PILLAR_CLONES
void quantize(Activations& x, std::size_t column, std::size_t block_begin,
              std::size_t block_end) noexcept {
    const ActivationLayout& layout = x.layout;
    std::size_t s = 0;
    for (std::size_t b = block_begin; b < block_end; ++b) {
        while (b >= layout.block_begin[s + 1]) ++s;
        float values[block_size];
        load_block(x.column(column), layout.origin, layout.slices[s], b - layout.block_begin[s],
                   values);
        const std::size_t at = x.block_at(column, b);
        std::int8_t* q = x.q.data() + at * block_size;
        x.scale[at] = quantize_block(values, q);
        int halves[2] = {};
        for (std::size_t k = 0; k < block_size; ++k) halves[k / 16] += q[k];
        x.half_sum[2 * at] = static_cast<std::int16_t>(halves[0]);
        x.half_sum[2 * at + 1] = static_cast<std::int16_t>(halves[1]);
        x.sum[at] = halves[0] + halves[1];
    }
}

} // namespace pillar::kernels::reference
