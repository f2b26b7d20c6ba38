#pragma once
// How far a run is that goes through windows one after another.

#include "pillar/core/timing.hpp"

#include <cstddef>
#include <cstdint>

namespace pillar::evaluate {

/// Windows [begin, end) that are to be computed.
struct WindowRange {
    std::uint64_t begin = 0, end = 0;
};

/// Says on stderr, once the first window is done, how long all will take.
class TimeLeft {
  public:
    explicit TimeLeft(std::size_t n_windows) : n_windows_(n_windows) {}
    /// One more is done.
    void show();

  private:
    std::size_t n_windows_;
    std::size_t n_done_ = 0;
    Stopwatch clock_;
};

/// A signal has ended the run after `n_done` windows of all.
void tell_stopped(std::size_t n_done, std::size_t n_windows, bool goes_on);

} // namespace pillar::evaluate
