#pragma once

#include <vector>

namespace pillar {

/// The middle value, of an even number the mean of the two in the middle. `values` is not empty.
double median(std::vector<double> values);

/// The value that a share (0 to 1) of the others is below: 0 the least, 0.5 the median, 1 the most;
/// between two values the nearer one. `values` is not empty.
double quantile(std::vector<double> values, double share);

} // namespace pillar
