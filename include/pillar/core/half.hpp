#pragma once
// IEEE binary16 and bfloat16 as they lie in model files and in the KV cache: plain, exact bit
// conversions. SIMD versions live in kernels/ and give the same bits, NaN payloads included (a
// signalling NaN is made quiet). Always inlined: a file compiled for a newer instruction set must
// not lend its copy to the rest of the program.

#include <cstdint>

namespace pillar {

namespace detail {
// std::bit_cast, but inlined without optimisation as well
[[gnu::always_inline]] constexpr float float_of(std::uint32_t bits) noexcept {
    return __builtin_bit_cast(float, bits);
}
[[gnu::always_inline]] constexpr std::uint32_t bits_of(float value) noexcept {
    return __builtin_bit_cast(std::uint32_t, value);
}
} // namespace detail

/// binary16 → f32, exact; subnormals kept.
[[gnu::always_inline]] constexpr float f16_to_f32(std::uint16_t half) noexcept {
    const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000u) << 16;
    const std::uint32_t exponent = (half >> 10) & 0x1Fu;
    const std::uint32_t mantissa = half & 0x3FFu;
    if (exponent == 0x1F) {
        const std::uint32_t quiet = mantissa != 0 ? 0x00400000u : 0u;
        return detail::float_of(sign | 0x7F800000u | (mantissa << 13) | quiet);
    }
    if (exponent != 0) return detail::float_of(sign | ((exponent + 112u) << 23) | (mantissa << 13));
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
    return detail::float_of(sign | detail::bits_of(magnitude));
}

/// f32 → binary16, round half to even, overflow to infinity.
[[gnu::always_inline]] constexpr std::uint16_t f32_to_f16(float value) noexcept {
    const std::uint32_t bits = detail::bits_of(value);
    const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000u);
    const std::uint32_t magnitude = bits & 0x7FFFFFFFu;
    if (magnitude > 0x7F800000u) // NaN: keep the top of the payload, quiet
        return static_cast<std::uint16_t>(sign | 0x7E00u | ((magnitude >> 13) & 0x3FFu));
    if (magnitude >= 0x477FF000u) return static_cast<std::uint16_t>(sign | 0x7C00u); // ≥ 65520
    if (magnitude < 0x38800000u) { // below 2^-14: subnormal, in units of 2^-24
        // adding 0.5 aligns the last bit of the sum with 2^-24 and rounds half to even
        const float shifted = detail::float_of(magnitude) + 0.5f;
        return static_cast<std::uint16_t>(sign | (detail::bits_of(shifted) - 0x3F000000u));
    }
    const std::uint32_t odd = (magnitude >> 13) & 1u;
    return static_cast<std::uint16_t>(sign | ((magnitude - 0x38000000u + 0xFFFu + odd) >> 13));
}

/// bfloat16 → f32, exact.
[[gnu::always_inline]] constexpr float bf16_to_f32(std::uint16_t half) noexcept {
    return detail::float_of(static_cast<std::uint32_t>(half) << 16);
}

} // namespace pillar
