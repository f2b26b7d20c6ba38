#pragma once
// Numbers of all ranks, exchanged as text so that all draw the same conclusion from them.

#include "pillar/comm/communicator.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace pillar::measure {

/// Collective. Rank 0's number for all.
std::size_t from_root(comm::Communicator& comm, std::size_t n);

/// Collective. Of each number the largest over the ranks, which all have as many.
std::vector<double> max_of_ranks(comm::Communicator& comm, std::span<const double> own);

/// Collective. The median over rounds, of each the slowest rank's time.
double slowest_median(comm::Communicator& comm, std::span<const double> rounds_s);

} // namespace pillar::measure
