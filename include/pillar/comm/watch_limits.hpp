#pragma once
// When silence becomes an error.

namespace pillar::comm {

/// How long a rank may wait for another one before it asks who is alive.
struct WatchLimits {
    /// Within the step loop; 0: 20 times the median step, at least 30 s; negative: for ever, in
    /// setup too.
    double step_s = 0;
    double setup_s = 600; ///< before and after it, where ranks load, convert and write
    /// Until all ranks have met, which takes none of them long; `step_s` where that is given, but
    /// at least 5 s.
    double start_s = 60;
};

} // namespace pillar::comm
