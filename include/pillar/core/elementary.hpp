#pragma once
// Elementary functions as fixed sequences of IEEE operations, so that a logit or a draw has the
// same bits on every machine, compiler and libm (docs/architecture.md, "Same bits"). Only +, −, ·,
// /, fma, sqrt, rounding and integer operations.
//
// f32: written so that a SIMD version performs the same operations lane by lane (kernels/).
// Internal linkage on purpose: a file compiled for a newer instruction set must not lend its copy
// to the rest of the program. f64: for tables (RoPE) and probabilities.

#include <bit>
#include <cmath>
#include <cstdint>
#include <span>

namespace pillar {

/// Constants of exp_f32, shared with its SIMD versions. Polynomial: Cephes (Moshier), expf.
namespace exp_f32_constants {
inline constexpr float highest = 88.72283f;  ///< above: infinity
inline constexpr float lowest = -103.97208f; ///< below: 0
inline constexpr float log2_e = 1.44269504f;
inline constexpr float round_shift =
    12582912.0f; ///< 1.5 · 2^23: adding it rounds to an integer, half to even
inline constexpr float ln2_high = 0.693359375f; ///< ln 2 in two parts; n · ln2_high is exact
inline constexpr float ln2_low = -2.12194440e-4f;
inline constexpr float c7 = 1.9875691500e-4f, c6 = 1.3981999507e-3f, c5 = 8.3334519073e-3f;
inline constexpr float c4 = 4.1665795894e-2f, c3 = 1.6666665459e-1f, c2 = 5.0000001201e-1f;
} // namespace exp_f32_constants

/// e^x; exp_f32(0) = 1 exactly, overflow → infinity, underflow → 0 (through subnormals), NaN → NaN.
/// Error below 2 units in the last place for normal results.
[[gnu::always_inline]] static inline float exp_f32(float x) noexcept {
    using namespace exp_f32_constants;
    if (x != x) return x;
    if (x > highest) return std::bit_cast<float>(0x7F800000u);
    if (x < lowest) return 0.0f;
    const float n = std::fma(x, log2_e, round_shift) - round_shift;
    float r = std::fma(n, -ln2_high, x);
    r = std::fma(n, -ln2_low, r);
    float p = std::fma(c7, r, c6);
    p = std::fma(p, r, c5);
    p = std::fma(p, r, c4);
    p = std::fma(p, r, c3);
    p = std::fma(p, r, c2);
    p = std::fma(p, r * r, r) + 1.0f;
    // 2^n in two factors, so that both are normal numbers
    const auto whole = static_cast<std::int32_t>(n);
    const std::int32_t half = whole >> 1;
    const float scale_a = std::bit_cast<float>((half + 127) << 23);
    const float scale_b = std::bit_cast<float>((whole - half + 127) << 23);
    return p * scale_a * scale_b;
}

/// e^x, error below 1.5 units in the last place; exp_f64(0) = 1 exactly.
double exp_f64(double x) noexcept;
/// Replaces every value by exp_f64 of it: the same bits, several at a time.
void exp_f64(std::span<double> values) noexcept;
/// Natural logarithm, error below 1.5 units in the last place; log_f64(1) = 0 exactly; 0 → −∞;
/// negative → NaN.
double log_f64(double x) noexcept;
/// sin x and cos x for |x| ≤ 2^31; absolute error below 2^-52. Beyond: NaN.
struct SinCos {
    double sin, cos;
};
SinCos sin_cos_f64(double x) noexcept;
/// x^y for x > 0, relative error below 1e-14 for |y·ln x| ≤ 64; what RoPE needs. x < 0: NaN unless
/// y is 0.
double pow_f64(double x, double y) noexcept;

} // namespace pillar
