#pragma once
// What a short sum costs within a step beyond what it costs in a loop of nothing else: the weights
// have pushed MPI's and the system's own data out of the caches, and the ranks do not come at the
// same moment.

#include "pillar/comm/communicator.hpp"
#include "pillar/threads/team.hpp"

namespace pillar::measure {

/// Collective. Seconds, never negative: sums of 8 KiB between readings of 8 MiB by `team`, less
/// both alone; of each time the slowest rank's, the median over rounds. The same on all ranks, 0 on
/// one; about a third of a second on a Raspberry Pi 4. Afterwards `comm` sums with direct. Throws
/// Error(refused) where there is no memory to read.
double sum_delay_s(comm::Communicator& comm, threads::Team& team);

} // namespace pillar::measure
