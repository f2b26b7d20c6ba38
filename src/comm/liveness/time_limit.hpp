#pragma once
// How long a rank waits for another one before it asks who is still alive.

#include "pillar/comm/watch_limits.hpp"

#include <array>
#include <cstddef>

namespace pillar::comm {

class TimeLimit {
  public:
    static constexpr double min_s = 30; ///< of the limit that follows from the steps
    static constexpr double min_start_s = 5;
    static constexpr double median_steps = 20;
    static constexpr double min_grace_s = 2;

    explicit TimeLimit(const WatchLimits& limits) noexcept : limits_(limits) {}

    /// A step took so long on this rank, from the order's arrival to the answer's departure.
    void note_step(double seconds) noexcept;

    /// Of a wait within the step loop, of one before or after it, or of one until all ranks have
    /// met. Infinite: no limit.
    [[nodiscard]] double of_steps_s() const noexcept { return steps_s_; }
    [[nodiscard]] double of_start_s() const noexcept;
    [[nodiscard]] double of_setup_s() const noexcept;

    /// Added to a limit: how long the others may take to answer.
    [[nodiscard]] static double grace_s(double limit_s) noexcept;
    /// After so much of a wait a rank that does not answer is told of.
    [[nodiscard]] static double warning_s(double limit_s) noexcept;

  private:
    WatchLimits limits_;
    std::array<double, 31> recent_s_{}; ///< the latest steps, in no order
    std::size_t n_steps_ = 0;
    double steps_s_ = from_steps(limits_, 0);

    static double from_steps(const WatchLimits& limits, double median_s) noexcept;
};

} // namespace pillar::comm
