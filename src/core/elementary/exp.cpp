// e^x = 2^n · e^r with n = round(x / ln 2), |r| ≤ ½ ln 2 in two parts, and the Taylor series of e^r
// to r^13 (the rest is below 2^-57). No branch and no fused operation: the compiler turns the array
// version into SIMD with equal bits.

#include "pillar/core/elementary.hpp"

#include <bit>
#include <cstdint>

namespace pillar {

namespace {

constexpr double log2_e = 0x1.71547652b82fep+0;
constexpr double ln2_high = 0x1.62e42fefap-1;     // 37 bits: n · ln2_high is exact
constexpr double ln2_low = 0x1.cf79abc9e3b3ap-40; // ln 2 − ln2_high
constexpr double round_shift = 0x1.8p+52;         // adding it rounds to an integer, half to even

/// 2^n for an integer n in [−1022, 1023].
inline double power_of_two(double n) noexcept {
    const auto bits =
        std::bit_cast<std::uint64_t>(n + round_shift); // n in the low bits, two's complement
    return std::bit_cast<double>((bits << 52) + (std::uint64_t{1023} << 52));
}

/// e^r − 1 for r + r_low, |r| ≤ 0.35.
inline double series(double r, double r_low) noexcept {
    double q = 1.0 / 6227020800.0; // 1/13!
    q = q * r + 1.0 / 479001600.0;
    q = q * r + 1.0 / 39916800.0;
    q = q * r + 1.0 / 3628800.0;
    q = q * r + 1.0 / 362880.0;
    q = q * r + 1.0 / 40320.0;
    q = q * r + 1.0 / 5040.0;
    q = q * r + 1.0 / 720.0;
    q = q * r + 1.0 / 120.0;
    q = q * r + 1.0 / 24.0;
    q = q * r + 1.0 / 6.0;
    q = q * r + 0.5;
    return r + (r_low + (r * r) * q);
}

/// Beyond these borders the scaling below gives infinity and 0 by itself; NaN fails both
/// comparisons and stays.
inline double clamped(double x) noexcept {
    x = x > 710.0 ? 710.0 : x;
    return x < -746.0 ? -746.0 : x;
}

/// e^x for a clamped x; no branch.
inline double exponential(double x) noexcept {
    const double n = (x * log2_e + round_shift) - round_shift;
    const double high = x - n * ln2_high;
    const double low = n * ln2_low;
    const double r = high - low;
    const double r_low = (high - r) - low;
    const double p = 1.0 + series(r, r_low);
    // 2^n in two factors, so that both are normal numbers
    const double half = (n * 0.5 + round_shift) - round_shift;
    return p * power_of_two(half) * power_of_two(n - half);
}

} // namespace

double exp_f64(double x) noexcept {
    return exponential(clamped(x));
}

void exp_f64(std::span<double> values) noexcept {
    double* const x = values.data();
    const std::size_t n = values.size();
    for (std::size_t i = 0; i < n; ++i)
        x[i] = clamped(x[i]); // apart: a comparison would keep the next from SIMD
    for (std::size_t i = 0; i < n; ++i) x[i] = exponential(x[i]);
}

} // namespace pillar
