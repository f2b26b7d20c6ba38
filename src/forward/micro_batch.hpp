#pragma once
// Rows of a step that go through the layers together: all of them, or one half of two.

#include "pillar/attention/attention_plan.hpp"
#include "pillar/forward/row.hpp"
#include "pillar/kernels/activations.hpp"
#include "pillar/model/model.hpp"

#include <span>
#include <vector>

namespace pillar::forward {

using attention::AttentionPlan;
using attention::few_rows;

struct MicroBatch {
    MicroBatch(const model::Model& model, std::size_t max_rows, int n_threads);
    static std::size_t size_bytes(const model::Hyperparameters& h, const partition::Share& share,
                                  std::size_t max_rows, int n_threads);

    /// The attention is shared by so many threads from now on.
    void assign_work(const model::Model& model, int n_threads);
    /// For the rows [first, end) of a step.
    void set_rows(std::span<const Row> all, std::size_t first, std::size_t end);

    std::size_t begin = 0;          ///< its first row within the step, and so in the buffers
    std::span<const Row> rows;      ///< of the step at hand
    kernels::Activations normed;    ///< (dim): after a norm, input of the matrices that follow it
    kernels::Activations attention; ///< (own q_dim): heads' results, cut into slices
    kernels::Activations hidden; ///< (own hidden columns): gate, then what down takes, in slices;
                                 ///< no columns where there are experts
    std::vector<AttentionPlan> plans; ///< for each of window_lengths()
};

} // namespace pillar::forward
