// ln x = k ln 2 + ln m with m in [√½, √2); ln m = 2 artanh s, s = (m − 1)/(m + 1), as a series in
// s². The quotient and the sum with k ln 2 are kept in two parts.

#include "log_parts.hpp"

#include "pillar/core/elementary.hpp"

#include <limits>

namespace pillar {

namespace {

constexpr double ln2_high = 0x1.62e42fefap-1;     // 37 bits: k · ln2_high is exact
constexpr double ln2_low = 0x1.cf79abc9e3b3ap-40; // ln 2 − ln2_high
constexpr double sqrt_2 = 0x1.6a09e667f3bcdp+0;

struct Scaled {
    double mantissa; ///< in (√½, √2]
    double exponent;
};

Scaled split(double x) noexcept {
    int exponent = 0;
    if (x < 0x1p-1022) { // subnormal
        x *= 0x1p54;
        exponent = -54;
    }
    const auto bits = std::bit_cast<std::uint64_t>(x);
    exponent += static_cast<int>(bits >> 52) - 1023;
    const std::uint64_t fraction = bits & 0x000FFFFFFFFFFFFFull;
    double mantissa = std::bit_cast<double>(fraction | (std::uint64_t{1023} << 52));
    if (mantissa > sqrt_2) {
        mantissa *= 0.5;
        ++exponent;
    }
    return {mantissa, static_cast<double>(exponent)};
}

/// 1/3 + z/5 + z²/7 + … for z ≤ 0.0295; the rest is below 2^-58.
double series(double z) noexcept {
    double q = 1.0 / 25.0;
    q = std::fma(q, z, 1.0 / 23.0);
    q = std::fma(q, z, 1.0 / 21.0);
    q = std::fma(q, z, 1.0 / 19.0);
    q = std::fma(q, z, 1.0 / 17.0);
    q = std::fma(q, z, 1.0 / 15.0);
    q = std::fma(q, z, 1.0 / 13.0);
    q = std::fma(q, z, 1.0 / 11.0);
    q = std::fma(q, z, 1.0 / 9.0);
    q = std::fma(q, z, 1.0 / 7.0);
    q = std::fma(q, z, 1.0 / 5.0);
    return std::fma(q, z, 1.0 / 3.0);
}

} // namespace

detail::LogParts detail::log_parts(double x) noexcept {
    const auto [m, k] = split(x);
    const double f = m - 1.0; // exact
    const double d = m + 1.0;
    const double d_low = m > 1.0 ? 1.0 - (d - m) : m - (d - 1.0);
    const double s = f / d;
    const double s_low = (std::fma(-s, d, f) - s * d_low) / d;
    const double z = s * s;
    const double tail = 2.0 * (s_low + s * z * series(z));
    // k ln 2 + 2s as head + error; for k ≠ 0 the first is the larger
    const double a = k * ln2_high;
    const double b = 2.0 * s;
    const double head = a + b;
    const double error = k != 0.0 ? b - (head - a) : 0.0;
    const double rest = error + (tail + k * ln2_low);
    const double high = head + rest;
    return {high, rest - (high - head)};
}

double log_f64(double x) noexcept {
    if (x != x) return x;
    if (x < 0.0) return std::numeric_limits<double>::quiet_NaN();
    if (x == 0.0) return -std::numeric_limits<double>::infinity();
    if (x == std::numeric_limits<double>::infinity()) return x;
    return detail::log_parts(x).high;
}

} // namespace pillar
