#pragma once

#include <vector>

namespace pillar::measure {

/// The middle value, of an even number the mean of the two in the middle. `values` is not empty.
double median(std::vector<double> values);

} // namespace pillar::measure
