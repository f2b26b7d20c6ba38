#pragma once
// How far apart the clocks of two machines are.

namespace pillar::comm {

/// What to add to a rank's monotonic_s() to get rank 0's, and how far that may be off: half of the
/// shortest round trip seen.
struct ClockOffset {
    double offset_s = 0;
    double uncertainty_s = 0;
};

} // namespace pillar::comm
