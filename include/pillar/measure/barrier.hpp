#pragma once

#include "pillar/threads/team.hpp"

namespace pillar::measure {

/// Seconds that one barrier of all threads of `team` takes, the median over some thousands.
double barrier_s(threads::Team& team);

} // namespace pillar::measure
