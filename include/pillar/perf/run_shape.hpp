#pragma once
// What the steps of a run cost whatever the machine: the model's shape, each rank's share of it,
// and how the ranks add up. A plan makes it of a model's file; a trace records it, so that a report
// can predict the steps that were measured.

#include "pillar/comm/algorithms.hpp"
#include "pillar/perf/step_model.hpp"

#include <vector>

namespace pillar::perf {

struct RunShape {
    model::Hyperparameters
        h; ///< n_layers, dim, head_dim, layers' windows; nothing else is looked at
    std::vector<RankCost> ranks;
    comm::AllreduceChoice allreduce;
    comm::Wire wire = comm::Wire::f32;
};

/// A step of the run. The lengths of its two small messages are left to the caller.
StepWork step_work(const RunShape& shape, const StepRows& rows);

} // namespace pillar::perf
