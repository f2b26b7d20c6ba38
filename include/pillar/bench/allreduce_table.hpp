#pragma once
// `bench --allreduce`: how long all-reduces take on this job's ranks, as the OSU benchmarks show
// it, and the network's latency and bandwidth that follow.

#include "pillar/comm/environment.hpp"
#include "pillar/tables/writer.hpp"

#include <optional>
#include <string>
#include <vector>

namespace pillar::bench {

struct AllreduceBenchOptions {
    tables::Format output = tables::Format::md;
    std::optional<comm::NetworkModel> emulated{}; ///< else the network there is
    double timeout_s = 0;                         ///< as --timeout
    std::vector<std::size_t> sizes{};             ///< of the vectors, in bytes of whole floats
};

/// Collective. Times every algorithm on every wire that it goes with; rank 0 writes tables to
/// stdout. Throws AgreedError(usage) on one rank.
int bench_allreduce(const AllreduceBenchOptions& options, comm::Environment& environment);

} // namespace pillar::bench
