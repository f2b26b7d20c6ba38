#include "pillar/measure/median.hpp"

#include "pillar/core/errors.hpp"

#include <algorithm>

namespace pillar::measure {

double median(std::vector<double> values) {
    expects(!values.empty(), "the median of something");
    std::ranges::sort(values);
    const std::size_t n = values.size();
    return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

} // namespace pillar::measure
