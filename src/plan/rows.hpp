#pragma once
// One row of a plan: a model on so many nodes of a profile, one rank each.

#include "pillar/forward/transformer.hpp"
#include "pillar/gguf/file.hpp"
#include "pillar/perf/step_model.hpp"
#include "pillar/plan/plan.hpp"

#include <string>
#include <vector>

namespace pillar::plan {

struct PlanRow {
    int n_ranks = 1;
    forward::MemoryNeed need; ///< of the rank that needs the most
    double available_bytes = 0;
    /// Heads, feed-forward columns (of each expert) and vocabulary are shared out in whole units.
    [[nodiscard]] double imbalance() const noexcept {
        return mean_read_bytes > 0 ? read_bytes / mean_read_bytes : 1;
    }
    [[nodiscard]] bool fits() const noexcept {
        return static_cast<double>(need.total()) <= available_bytes;
    }
    Traffic token;                      ///< that all ranks send for one decoded token
    Traffic prompt_sent;                ///< the same for the whole prompt
    double read_bytes = 0;              ///< weights and cache that the slowest rank reads for it
    double mean_read_bytes = 0;         ///< and all ranks in the mean
    comm::Algorithm decode_allreduce{}; ///< none with one rank
    comm::Algorithm prompt_allreduce{};
    perf::StepTime decode;   ///< of one token
    perf::StepTime prompt;   ///< of the whole prompt
    double decode_per_s = 0; ///< tokens
    double prompt_per_s = 0;
    double joules_per_token = 0;
};

struct PlanTable {
    std::string model;
    std::string profile; ///< its name
    double decode_w = 0; ///< of a node of it
    PlanRequest request; ///< with the context that was used
    std::vector<PlanRow> rows;
    PlanRow base;     ///< of speed-ups
    std::string slow; ///< a sentence on formats without fast kernels; empty: there are none
};

/// With the context's default filled in.
PlanRequest resolved(const gguf::File& file, const PlanRequest& request);

/// Throws FormatError for what is no model.
PlanRow plan_row(const gguf::File& file, const perf::MachineProfile& profile,
                 const PlanRequest& request, int n_ranks);

/// One rank where the model fits, else the smallest number up to `most` on which it does; one rank
/// where there is none.
PlanRow base_row(const gguf::File& file, const perf::MachineProfile& profile,
                 const PlanRequest& request, int most);

/// Not jsonl.
std::string render(const PlanTable& table, tables::Format format);

} // namespace pillar::plan
