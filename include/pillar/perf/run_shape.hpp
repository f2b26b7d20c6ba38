#pragma once
// What the steps of a run cost whatever the machine: the model's shape, each rank's share of it,
// and how the ranks add up. A plan makes it of a model's file; a trace records it, so that a report
// can predict the steps that were measured.

#include "pillar/comm/communicator.hpp"
#include "pillar/core/function_ref.hpp"
#include "pillar/perf/step_model.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pillar::perf {

struct RunShape {
    model::Hyperparameters h; ///< n_layers, dim and head_dim; nothing else is looked at
    std::vector<RankCost> ranks;
    comm::AllreduceChoice allreduce;
    comm::Wire wire = comm::Wire::f32;
};

/// A step of the run. The lengths of its two small messages are left to the caller.
StepWork step_work(const RunShape& shape, const StepRows& rows);

/// One number a rank, separated by commas.
struct RankList {
    std::string name;
    std::string numbers;
};
/// What a trace keeps of the ranks' costs: "rank_layer_bytes" and so on.
std::vector<RankList> rank_lists(std::span<const RankCost> ranks);

/// From a trace's /config; `text_of` gives an entry's text, empty when there is none. Nothing when
/// an entry is missing, is no number, or has not `n_ranks` of them.
std::optional<RunShape> recorded_shape(std::size_t n_ranks,
                                       FunctionRef<std::string(std::string_view name)> text_of);

} // namespace pillar::perf
