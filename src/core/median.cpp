#include "pillar/core/median.hpp"

#include "pillar/core/errors.hpp"

#include <algorithm>
#include <cmath>

namespace pillar {

double median(std::vector<double> values) {
    expects(!values.empty(), "the median of something");
    std::ranges::sort(values);
    const std::size_t n = values.size();
    return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

double quantile(std::vector<double> values, double share) {
    expects(!values.empty() && share >= 0 && share <= 1, "a share of something");
    std::ranges::sort(values);
    return values[static_cast<std::size_t>(
        std::lround(share * static_cast<double>(values.size() - 1)))];
}

} // namespace pillar
