#pragma once
// What the experts of a layer write to, allocated once for up to max_rows rows. The micro-batches
// of a step share it: a feed-forward block is begun and ended in one turn. Only the choice outlives
// it, since biases follow the sum over all ranks.

#include "experts/routing.hpp"

#include "pillar/forward/row.hpp"
#include "pillar/kernels/activations.hpp"
#include "pillar/model/model.hpp"

#include <vector>

namespace pillar::forward {

struct ExpertBuffers {
    /// Of a model without experts nothing is allocated.
    ExpertBuffers(const model::Model& model, std::size_t max_rows, int n_threads);
    static std::size_t size_bytes(const model::Hyperparameters& h, const partition::Share& share,
                                  const model::WeightPlan& plan, const kernels::Family& family,
                                  std::size_t max_rows);

    /// The columns that one thread works on: views, pointed at an expert's columns in turn.
    struct Views {
        Views(const kernels::Activations& all_gathered, const kernels::Activations& all_hidden);
        kernels::Activations gathered;
        kernels::Activations hidden;
        std::vector<kernels::Activations> slices; ///< of hidden: each own slice alone
    };

    AlignedBuffer<float> scores;       ///< (max_rows, n_experts)
    std::vector<ChosenExpert> choices; ///< (max_rows, n_experts_used), by row of the step
    ExpertGroups groups;               ///< of the rows at hand
    kernels::Activations gathered;     ///< (dim): a column for each row and each of its experts
    kernels::Activations hidden;       ///< (own hidden columns): likewise
    AlignedBuffer<float> up;           ///< (max_rows · n_experts_used, own hidden columns)
    // Of the rows of down that a thread works on at the time, close together: (rows, columns of the
    // piece), in the part of the buffer that belongs to the thread's share of dim.
    AlignedBuffer<float> results; ///< one expert's, of one slice; a row's room before them
    /// Sums of 2, 4, … slices that wait for their neighbours.
    std::vector<AlignedBuffer<float>> slice_sums;
    std::vector<Views> views; ///< a thread each
};

} // namespace pillar::forward
