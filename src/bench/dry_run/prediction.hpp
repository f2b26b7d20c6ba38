#pragma once
// What the cost model says of a job that is not there: its messages, and all of it.

#include "pillar/comm/algorithms.hpp"
#include "pillar/engine/benchmark.hpp"
#include "pillar/perf/cluster.hpp"
#include "pillar/perf/run_shape.hpp"

#include <optional>
#include <string>
#include <vector>

namespace pillar::bench {

/// The fastest by the profile's network, for one token and for a chunk of `n_batch`, or the one
/// that is asked for.
comm::AllreduceChoice choose_allreduce(const perf::NetworkProfile& network,
                                       std::optional<comm::Algorithm> asked, comm::Wire wire,
                                       int n_ranks, std::size_t dim, std::size_t n_batch);

/// Seconds of one repetition.
struct Prediction {
    perf::Interval messages_s; ///< latency, bytes, and adding what comes
    perf::Interval all_s;      ///< computing on nodes of the profile, and the messages
};
Prediction predict(const engine::BenchmarkTest& test, const perf::RunShape& shape,
                   const perf::MachineProfile& profile);

/// A rank and why it is played.
struct PlayedPart {
    int rank = 0;
    std::string why; ///< "slowest", "mean", "fastest", "all alike"
};
/// By what a token's computing would take on nodes of the profile: the slowest first, then the one
/// nearest to the mean, the fastest; each rank once. Of equal ones the lowest.
std::vector<PlayedPart> parts_to_play(const perf::RunShape& shape,
                                      const perf::MachineProfile& profile);

} // namespace pillar::bench
