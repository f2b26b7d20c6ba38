#pragma once
// What holds of the numbers of either layout.

#include "pillar/core/errors.hpp"

#include <cmath>
#include <fmt/core.h>
#include <span>
#include <string>

namespace pillar::importance {

/// Throws FormatError: sums of squares are finite and not negative.
inline void expect_sums(std::span<const float> sums, const std::string& file,
                        const std::string& name) {
    for (std::size_t i = 0; i < sums.size(); ++i)
        if (!std::isfinite(sums[i]) || sums[i] < 0.0f)
            throw FormatError(file, fmt::format("\"{}\"", printable(name)), std::nullopt,
                              fmt::format("value {} is {}, which no sum of squares is; gather the "
                                          "importance matrix again",
                                          i, sums[i]));
}

} // namespace pillar::importance
