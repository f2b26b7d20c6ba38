// x = n π/2 + r with |r| ≤ π/4 (a little more by rounding), r in two parts; Taylor series of both
// functions to r^17; the quadrant n mod 4 says which of them is which, with which sign.

#include "pillar/core/elementary.hpp"

#include <limits>

namespace pillar {

namespace {

constexpr double two_over_pi = 0x1.45f306dc9c883p-1;
constexpr double half_pi = 0x1.921fb54442d18p+0;
constexpr double half_pi_low = 0x1.1a62633145c07p-54; // π/2 − half_pi
constexpr double round_shift = 0x1.8p+52; // adding it rounds to an integer, half to even

double sine(double r, double r_low) noexcept {
    const double z = r * r;
    double q = 1.0 / 355687428096000.0; // 1/17!
    q = std::fma(q, z, -1.0 / 1307674368000.0);
    q = std::fma(q, z, 1.0 / 6227020800.0);
    q = std::fma(q, z, -1.0 / 39916800.0);
    q = std::fma(q, z, 1.0 / 362880.0);
    q = std::fma(q, z, -1.0 / 5040.0);
    q = std::fma(q, z, 1.0 / 120.0);
    q = std::fma(q, z, -1.0 / 6.0);
    return r + std::fma(r * z, q, std::fma(-0.5 * z, r_low, r_low));
}

double cosine(double r, double r_low) noexcept {
    const double z = r * r;
    double q = 1.0 / 20922789888000.0; // 1/16!
    q = std::fma(q, z, -1.0 / 87178291200.0);
    q = std::fma(q, z, 1.0 / 479001600.0);
    q = std::fma(q, z, -1.0 / 3628800.0);
    q = std::fma(q, z, 1.0 / 40320.0);
    q = std::fma(q, z, -1.0 / 720.0);
    q = std::fma(q, z, 1.0 / 24.0);
    const double half_z = 0.5 * z;
    const double head = 1.0 - half_z;
    const double error = (1.0 - head) - half_z;
    return head + std::fma(z * z, q, std::fma(-r, r_low, error));
}

} // namespace

SinCos sin_cos_f64(double x) noexcept {
    if (!(x >= -0x1p31 && x <= 0x1p31)) {
        constexpr double nan = std::numeric_limits<double>::quiet_NaN();
        return {nan, nan};
    }
    const double n = (x * two_over_pi + round_shift) - round_shift;
    // Exact: x and n · half_pi are multiples of 2^-53 or finer only where the difference still fits
    // 53 bits.
    const double first = std::fma(-n, half_pi, x);
    const double second = n * half_pi_low;
    const double r = first - second;
    const double back = r - first;
    const double r_low = (first - (r - back)) - (second + back);
    const double s = sine(r, r_low);
    const double c = cosine(r, r_low);
    switch (static_cast<std::int64_t>(n) & 3) {
    case 0:
        return {s, c};
    case 1:
        return {c, -s};
    case 2:
        return {-s, -c};
    default:
        return {-c, s};
    }
}

} // namespace pillar
