#pragma once
// All ranks' times on rank 0's clock. Offsets are measured now and then (each to half of the
// shortest round trip) and interpolated between; before the first and after the last measurement
// they are taken as constant.

#include "journal/records.hpp"

#include <vector>

namespace pillar::recording {

class ClockTable {
  public:
    /// Samples in the order of time, each with one offset a rank; none: all clocks are taken as
    /// one.
    ClockTable(const std::vector<ClockSample>& samples, std::size_t n_ranks);

    /// A time of `rank`'s clock → rank 0's.
    [[nodiscard]] double to_root(std::size_t rank, double local_s) const noexcept;
    /// How far to_root may be off: the larger uncertainty of the two measurements around.
    [[nodiscard]] double uncertainty_s(std::size_t rank, double local_s) const noexcept;
    /// The largest uncertainty of a rank's measurements.
    [[nodiscard]] double max_uncertainty_s(std::size_t rank) const noexcept;
    /// The rank's first and last offset, to see drift.
    [[nodiscard]] double first_offset_s(std::size_t rank) const noexcept;
    [[nodiscard]] double last_offset_s(std::size_t rank) const noexcept;
    [[nodiscard]] std::size_t n_ranks() const noexcept { return ranks_.size(); }

  private:
    struct Point {
        double local_s = 0; ///< of the rank's own clock
        double offset_s = 0;
        double uncertainty_s = 0;
    };
    /// Index of the first point after `local_s` (0 … number of points).
    [[nodiscard]] std::size_t after(std::size_t rank, double local_s) const noexcept;

    std::vector<std::vector<Point>> ranks_;
};

} // namespace pillar::recording
