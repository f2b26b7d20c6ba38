#pragma once
// Up to 32 floats to int8: used for activations and for the q8_0 cache.

#include "pillar/kernels/activations.hpp"

#include <algorithm>
#include <bit>
#include <limits>

namespace pillar::kernels::reference {

/// q of `n` values of one block, and its dx = amax / 127. NaN where a value is not finite, with q =
/// 0; 0 where 127 / amax is not finite, with q = 0.
[[gnu::always_inline]] inline float quantize_block(const float* values, std::size_t n,
                                                   std::int8_t* q) noexcept {
    constexpr std::uint32_t infinity_bits = 0x7F800000u;
    constexpr float round_shift =
        12582912.0f; // 1.5 · 2^23: adding it rounds to an integer, half to even
    std::uint32_t largest = 0;
    for (std::size_t k = 0; k < n; ++k)
        largest = std::max(largest, std::bit_cast<std::uint32_t>(values[k]) & 0x7FFFFFFFu);
    const float amax = std::bit_cast<float>(largest);
    const float inverse = 127.0f / amax;

    if (largest >= infinity_bits || std::bit_cast<std::uint32_t>(inverse) >= infinity_bits) {
        std::fill_n(q, n, std::int8_t{0});
        return largest >= infinity_bits ? std::numeric_limits<float>::quiet_NaN() : 0.0f;
    }
    for (std::size_t k = 0; k < n; ++k) {
        const float rounded = (values[k] * inverse + round_shift) - round_shift;
        q[k] = static_cast<std::int8_t>(std::clamp(rounded, -127.0f, 127.0f));
    }
    return amax / 127.0f;
}

} // namespace pillar::kernels::reference
