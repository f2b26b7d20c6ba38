#pragma once
// `plan`: what a model needs and how fast it will be, before anything is started.

#include "pillar/perf/machine_profile.hpp"
#include "pillar/session/options.hpp"
#include "pillar/tables/writer.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace pillar::plan {

/// What is asked of every number of ranks.
struct PlanRequest {
    session::ModelOptions model; ///< context, batch, cache type, all-reduce and wire
    std::size_t n_prompt = 512;
    std::size_t depth = 0; ///< positions before the decoded token
};

struct PlanOptions {
    std::vector<std::size_t> ranks = {1, 2, 4, 8};
    std::string profile; ///< a file; empty: a Raspberry Pi 4 with 8 GB
    PlanRequest request;
    tables::Format format = tables::Format::md;
};

/// The table. Throws Error for what is no model or no profile.
std::string plan_text(const PlanOptions& options);

} // namespace pillar::plan
