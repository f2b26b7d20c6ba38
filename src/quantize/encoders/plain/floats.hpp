#pragma once
// F32, F16 and BF16: each weight alone, half to even; and how a source's weights are read.

#include "encoders/pack.hpp"

#include "pillar/quant/type.hpp"

#include <cmath>

namespace pillar::quantize {

template <quant::Type float_type, std::size_t n_bytes>
struct FloatFormat {
    static constexpr quant::Type type = float_type;
    static constexpr std::size_t weights = 1;
    static constexpr std::size_t bytes = n_bytes;
};

struct EncodeF32 {
    using Format = FloatFormat<quant::Type::f32, 4>;
    static constexpr bool counts_large_weights_more = false;

    [[gnu::always_inline]] static void encode(const float* x, const float*, std::byte* out) {
        std::memcpy(out, x, sizeof *x);
    }
};

struct EncodeF16 {
    using Format = FloatFormat<quant::Type::f16, 2>;
    static constexpr bool counts_large_weights_more = false;

    [[gnu::always_inline]] static void encode(const float* x, const float*, std::byte* out) {
        store_u16(out, 0, f32_to_f16(*x));
    }
};

struct EncodeBF16 {
    using Format = FloatFormat<quant::Type::bf16, 2>;
    static constexpr bool counts_large_weights_more = false;

    [[gnu::always_inline]] static void encode(const float* x, const float*, std::byte* out) {
        const std::uint32_t bits = detail::bits_of(*x);
        const std::uint32_t odd = (bits >> 16) & 1u;
        store_u16(out, 0, static_cast<std::uint16_t>((bits + 0x7FFFu + odd) >> 16));
    }
};

/// A binary16 without its sign is an f32 with a smaller exponent once its bits are shifted: a
/// product puts that right, subnormals included. What is not finite keeps a full exponent.
[[gnu::always_inline]] inline void f16_row(const std::byte* row, std::size_t n, float* x) {
    for (std::size_t i = 0; i < n; ++i) {
        std::uint16_t half;
        std::memcpy(&half, row + 2 * i, sizeof half);
        const std::uint32_t bits = half;
        const float magnitude = detail::float_of((bits & 0x7FFFu) << 13) * 0x1p112f;
        const std::uint32_t full = (bits & 0x7C00u) == 0x7C00u ? 0x7F800000u : 0u;
        x[i] = detail::float_of(detail::bits_of(magnitude) | full | (bits & 0x8000u) << 16);
    }
}

[[gnu::always_inline]] inline void bf16_row(const std::byte* row, std::size_t n, float* x) {
    for (std::size_t i = 0; i < n; ++i) {
        std::uint16_t half;
        std::memcpy(&half, row + 2 * i, sizeof half);
        x[i] = bf16_to_f32(half);
    }
}

[[gnu::always_inline]] inline std::size_t count_beyond(const float* x, std::size_t n, float limit) {
    std::uint32_t beyond = 0; // a row is never so long
    for (std::size_t i = 0; i < n; ++i) beyond += std::fabs(x[i]) <= limit ? 0u : 1u;
    return beyond;
}

} // namespace pillar::quantize
