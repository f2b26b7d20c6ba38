#pragma once
// `check`: the cluster before a run. Ranks measure, rank 0 judges and prints.

#include "pillar/comm/environment.hpp"
#include "pillar/session/options.hpp"

#include <string>

namespace pillar::check {

struct CheckOptions {
    session::ModelOptions model; ///< none: only the cluster is looked at
    std::string profile;         ///< file to write
    bool json = false;
    bool force = false;
};

/// Collective. Everybody returns the exit code of rank 0's verdict. Throws comm::AgreedError.
int check_cluster(const CheckOptions& options, comm::Environment& environment);

} // namespace pillar::check
