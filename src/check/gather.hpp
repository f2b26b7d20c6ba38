#pragma once
// Measuring and gathering what `check` judges.

#include "facts.hpp"

#include "pillar/comm/environment.hpp"
#include "pillar/session/options.hpp"

#include <filesystem>

namespace pillar::check {

/// Collective. All that must agree, of all ranks: on every rank.
std::vector<IdentityFacts> gather_identities(comm::Communicator& comm);

/// Collective, after the identities were found equal. Measures (some seconds) and gathers the rest;
/// the result is complete on rank 0. `heartbeat` is called between the pairs. `sys` stands for "/".
ClusterFacts gather_facts(comm::Environment& environment, comm::Communicator& comm,
                          const session::ModelOptions& options,
                          std::vector<IdentityFacts> identities,
                          const std::filesystem::path& sys = "/");

} // namespace pillar::check
