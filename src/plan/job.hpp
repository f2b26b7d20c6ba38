#pragma once
// A model cut for so many nodes: what every rank computes and needs, whatever the nodes' rates.

#include "pillar/forward/cost.hpp"
#include "pillar/gguf/file.hpp"
#include "pillar/perf/cluster.hpp"
#include "pillar/perf/step_model.hpp"
#include "pillar/plan/plan.hpp"

#include <vector>

namespace pillar::plan {

struct Job {
    model::Hyperparameters h;
    std::vector<perf::RankCost> ranks;
    std::vector<forward::MemoryNeed> needs; ///< one a rank
    std::vector<double> weights;            ///< of the split; empty: even

    [[nodiscard]] int n_ranks() const noexcept { return static_cast<int>(ranks.size()); }
};

/// With the context's default filled in.
PlanRequest resolved(const gguf::File& file, const PlanRequest& request);

/// `request` is resolved. Throws FormatError for what is no model, UsageError for shares of another
/// number of ranks.
Job make_job(const gguf::File& file, const perf::Cluster& cluster, const PlanRequest& request,
             int n_ranks);

/// A step of these rows with its messages, by the all-reduce that is asked for or the fastest one.
perf::StepWork work_of(const Job& job, const perf::Cluster& cluster, const PlanRequest& request,
                       const perf::StepRows& rows);

/// One token of each of the request's sequences.
perf::StepRows decode_rows(const PlanRequest& request) noexcept;

} // namespace pillar::plan
