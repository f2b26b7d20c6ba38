#pragma once
// The logarithm as an unevaluated sum of two doubles, for log_f64 and pow_f64.

namespace pillar::detail {

struct LogParts {
    double high; ///< ln x rounded
    double low;  ///< the rest; high + low is off by less than 2^-58 of ln x
};

/// x positive, finite, not NaN.
LogParts log_parts(double x) noexcept;

} // namespace pillar::detail
