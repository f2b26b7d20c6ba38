#pragma once
// One row of a plan: a model on so many nodes, one rank each.

#include "draft.hpp"
#include "job.hpp"
#include "limits.hpp"

#include "pillar/perf/cluster.hpp"

#include <optional>
#include <string>
#include <vector>

namespace pillar::plan {

struct PlanRow {
    int n_ranks = 1;
    forward::MemoryNeed need; ///< of the rank that needs the most of what it has
    double available_bytes = 0;
    std::vector<double> weights; ///< of the split; empty: even
    /// Heads, feed-forward columns (of each expert) and vocabulary are shared out in whole units.
    [[nodiscard]] double imbalance() const noexcept {
        return mean_read_bytes > 0 ? read_bytes / mean_read_bytes : 1;
    }
    [[nodiscard]] bool fits() const noexcept {
        return static_cast<double>(need.total()) <= available_bytes;
    }
    Traffic token;                      ///< that all ranks send for one step of decoding
    Traffic prompt_sent;                ///< the same for the whole prompt
    double read_bytes = 0;              ///< weights and cache that the slowest rank reads for it
    double mean_read_bytes = 0;         ///< and all ranks in the mean
    comm::Algorithm decode_allreduce{}; ///< none with one rank
    comm::Algorithm prompt_allreduce{};
    perf::StepTime decode;         ///< of a token of every sequence
    perf::StepTime prompt;         ///< of the whole prompt
    perf::Interval decode_per_s;   ///< tokens, of all sequences
    perf::Interval prompt_per_s;   ///< tokens
    perf::Interval joules_a_token; ///< of all nodes
    Limits limits;
    double price = 0; ///< of all nodes; 0: not told
    std::optional<DraftRow> draft;
};

/// A second model's tensors, opened once.
struct Draft {
    const gguf::File* file = nullptr; ///< nullptr: the text itself proposes
    PlanRequest request;
};

/// Throws FormatError for what is no model.
PlanRow plan_row(const gguf::File& file, const perf::Cluster& cluster, const PlanRequest& request,
                 int n_ranks, const Draft* draft = nullptr);

/// One rank where the model fits, else the smallest number up to `most` on which it does; one rank
/// where there is none. Of the request's split nothing is taken.
PlanRow base_row(const gguf::File& file, const perf::Cluster& cluster, const PlanRequest& request,
                 int most);

} // namespace pillar::plan
