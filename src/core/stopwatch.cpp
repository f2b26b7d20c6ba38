// Both clocks are read through the vDSO: no system call.

#include "pillar/core/timing.hpp"

#include <ctime>

namespace pillar {

namespace {

double read_clock_s(clockid_t clock) noexcept {
    timespec now{};
    ::clock_gettime(clock, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

} // namespace

double monotonic_s() noexcept {
    return read_clock_s(CLOCK_MONOTONIC_RAW);
}

double wall_clock_s() noexcept {
    return read_clock_s(CLOCK_REALTIME);
}

} // namespace pillar
