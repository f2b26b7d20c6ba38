#pragma once
// Numbers of all ranks, exchanged so that all draw the same conclusion from them.

#include "pillar/comm/communicator.hpp"

#include <vector>

namespace pillar::measure {

/// Collective. Of each number the largest over the ranks, which all have as many.
std::vector<double> max_of_ranks(comm::Communicator& comm, const std::vector<double>& own);

/// Collective. The median over rounds, of each the slowest rank's time.
double slowest_median(comm::Communicator& comm, const std::vector<double>& rounds_s);

} // namespace pillar::measure
