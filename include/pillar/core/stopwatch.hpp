#pragma once
// The one clock of all measurements: CLOCK_MONOTONIC_RAW, seconds as double. It is not slewed by
// NTP; how ranks' clocks are put on one axis is trace's business.

namespace pillar {

/// Seconds since an arbitrary origin of this host, never going back.
double monotonic_s() noexcept;

/// Seconds since the epoch (UTC), for provenance only.
double wall_clock_s() noexcept;

class Stopwatch {
  public:
    Stopwatch() noexcept : start_s_(monotonic_s()) {}
    [[nodiscard]] double elapsed_s() const noexcept { return monotonic_s() - start_s_; }
    void restart() noexcept { start_s_ = monotonic_s(); }

  private:
    double start_s_;
};

} // namespace pillar
