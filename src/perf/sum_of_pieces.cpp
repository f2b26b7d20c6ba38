#include "pillar/perf/sum_of_pieces.hpp"

#include <algorithm>
#include <cmath>

namespace pillar::perf {

namespace {

using Times = FunctionRef<StepTime(std::size_t)>;

constexpr std::size_t few = 256;

constexpr double StepTime::*parts[] = {&StepTime::matrices_s,  &StepTime::attention_s,
                                       &StepTime::barriers_s,  &StepTime::latency_s,
                                       &StepTime::bandwidth_s, &StepTime::reduction_s};

/// Of [first, last], with their times at hand. One bend between them moves every point off the
/// line.
bool is_straight(std::size_t first, std::size_t last, const StepTime& at_first,
                 const StepTime& at_last, Times time) {
    constexpr double tolerance = 1e-9;
    for (const std::size_t quarter : {1, 2, 3}) {
        const std::size_t i = first + (last - first) / 4 * quarter;
        const StepTime there = time(i);
        const double x = static_cast<double>(i - first) / static_cast<double>(last - first);
        for (const auto part : parts) {
            const double expected = at_first.*part + x * (at_last.*part - at_first.*part);
            if (std::abs(there.*part - expected) > tolerance * there.total()) return false;
        }
    }
    return true;
}

StepTime sum_between(std::size_t first, std::size_t last, Times time) {
    StepTime sum;
    if (last - first < few) {
        for (std::size_t i = first; i <= last; ++i) sum += time(i);
        return sum;
    }
    const StepTime at_first = time(first), at_last = time(last);
    if (is_straight(first, last, at_first, at_last, time)) {
        const auto n = static_cast<double>(last - first + 1);
        for (const auto part : parts) sum.*part = n * (at_first.*part + at_last.*part) / 2;
        sum.arithmetic_bound = at_first.arithmetic_bound || at_last.arithmetic_bound;
        return sum;
    }
    const std::size_t middle = first + (last - first) / 2;
    sum = sum_between(first, middle, time);
    sum += sum_between(middle + 1, last, time);
    return sum;
}

} // namespace

StepTime sum_of_pieces(std::size_t n, FunctionRef<StepTime(std::size_t)> time) {
    return n == 0 ? StepTime() : sum_between(0, n - 1, time);
}

} // namespace pillar::perf
