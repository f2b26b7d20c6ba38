// x^y = e^(y ln x) with the logarithm and the product in two parts, so that the error of y ln x
// does not grow with it.

#include "log_parts.hpp"

#include "pillar/core/elementary.hpp"

#include <limits>

namespace pillar {

double pow_f64(double x, double y) noexcept {
    if (y == 0.0 || x == 1.0) return 1.0;
    const bool positive_finite = x > 0.0 && x < std::numeric_limits<double>::infinity();
    if (!positive_finite) return exp_f64(y * log_f64(x));
    const auto [high, low] = detail::log_parts(x);
    const double product = y * high;
    if (!(product >= -750.0 && product <= 750.0)) return exp_f64(product);
    const double rest = std::fma(y, high, -product) + y * low;
    const double power = exp_f64(product);
    if (power > std::numeric_limits<double>::max()) return power;
    return std::fma(power, rest, power);
}

} // namespace pillar
