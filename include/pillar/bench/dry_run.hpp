#pragma once
// `bench --dry-run-ranks P`: this machine computes the part of one rank of P after the other, with
// none of the others there. What it takes is measured, what the messages would take is predicted
// from a machine profile, and the results say which is which.

#include "pillar/bench/bench.hpp"
#include "pillar/comm/environment.hpp"

namespace pillar::bench {

/// Collective, for one rank. Plays the ranks whose parts cost the most, the least, and what is
/// nearest to the mean, and prints a line for each test and rank. Returns the exit code: resumable
/// where a signal ended it. Throws comm::AgreedError: more than one rank (usage), no such profile.
int dry_run_models(const BenchOptions& options, comm::Environment& environment);

} // namespace pillar::bench
