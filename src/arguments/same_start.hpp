#pragma once
// Ranks that were started with different programs, subcommands or options (mpirun A : B) would send
// each other what nobody expects. They find out first.

#include "pillar/arguments/flag.hpp"

#include "pillar/comm/environment.hpp"

#include <vector>

namespace pillar::arguments {

/// Collective. One exchange, whose waits end as with --timeout `timeout_s`. Throws
/// comm::AgreedError(disagree) that names the first thing in which ranks differ, with the values
/// and the hosts. `check` goes on with different programs: it judges them itself.
void expect_same_start(comm::Environment& environment, const std::vector<Setting>& settings,
                       double timeout_s);

} // namespace pillar::arguments
