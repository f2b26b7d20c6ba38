#pragma once
// `bench --allreduce`: how long all-reduces take on this job's ranks, as the OSU benchmarks show
// it, and the network's latency and bandwidth that follow.

#include "pillar/comm/environment.hpp"

#include <optional>
#include <string>
#include <vector>

namespace pillar::cli {

struct AllreduceBenchOptions {
    std::string output = "md";                    ///< md, csv, json or jsonl
    std::optional<comm::NetworkModel> emulated{}; ///< else the network there is
    double timeout_s = 0;                         ///< as --timeout
    std::vector<std::size_t> lengths{};           ///< of the vectors, in floats
};

/// Floats of the vectors that `lists` name in bytes; of none, from 4 bytes to 1 MiB. Throws
/// UsageError for what is no whole number of floats.
std::vector<std::size_t> allreduce_lengths(const std::vector<std::string>& lists);

/// Collective. Times every algorithm on every wire that it goes with; rank 0 writes tables to
/// stdout. Throws AgreedError(usage) on one rank.
int bench_allreduce(const AllreduceBenchOptions& options, comm::Environment& environment);

} // namespace pillar::cli
