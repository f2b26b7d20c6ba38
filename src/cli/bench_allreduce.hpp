#pragma once
// `bench --allreduce`: how long all-reduces take on this job's ranks, as the OSU benchmarks show
// it, and the network's latency and bandwidth that follow.

#include "pillar/comm/environment.hpp"

#include <optional>
#include <string>

namespace pillar::cli {

struct AllreduceBenchOptions {
    std::string output = "md";                    ///< md, csv, json or jsonl
    std::optional<comm::NetworkModel> emulated{}; ///< else the network there is
    double timeout_s = 0;                         ///< as --timeout
};

/// Collective. Times every algorithm on every wire that it goes with, from 4 bytes of floats to
/// 1 MiB; rank 0 writes tables to stdout. Throws AgreedError(usage) on one rank.
int bench_allreduce(const AllreduceBenchOptions& options, comm::Environment& environment);

} // namespace pillar::cli
