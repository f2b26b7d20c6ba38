// The median of the latest steps: prompt chunks and a stray slow step hardly move it.

#include "time_limit.hpp"

#include <algorithm>
#include <limits>

namespace pillar::comm {

namespace {

constexpr double never = std::numeric_limits<double>::infinity();

} // namespace

double TimeLimit::from_steps(const WatchLimits& limits, double median_s) noexcept {
    if (limits.step_s < 0) return never;
    if (limits.step_s > 0) return limits.step_s;
    return std::max(min_s, median_steps * median_s);
}

void TimeLimit::note_step(double seconds) noexcept {
    recent_s_[n_steps_ % recent_s_.size()] = seconds;
    ++n_steps_;
    std::array<double, 31> sorted = recent_s_;
    const auto n = static_cast<std::ptrdiff_t>(std::min(n_steps_, recent_s_.size()));
    std::nth_element(sorted.begin(), sorted.begin() + n / 2, sorted.begin() + n);
    steps_s_ = from_steps(limits_, sorted[static_cast<std::size_t>(n / 2)]);
}

double TimeLimit::of_start_s() const noexcept {
    if (limits_.step_s < 0) return never;
    return limits_.step_s > 0 ? std::max(limits_.step_s, min_start_s) : limits_.start_s;
}

double TimeLimit::of_setup_s() const noexcept {
    if (limits_.step_s < 0) return never;
    return std::max(limits_.setup_s, limits_.step_s);
}

double TimeLimit::grace_s(double limit_s) noexcept {
    return std::clamp(limit_s / 10, min_grace_s, 60.0);
}

double TimeLimit::warning_s(double limit_s) noexcept {
    return std::clamp(limit_s / 10, 5.0, 60.0);
}

} // namespace pillar::comm
