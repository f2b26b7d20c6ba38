#pragma once
// `plan`: what a model needs and how fast it will be, before anything is started. One model on
// numbers of ranks, or a grid of models, formats, boards and numbers of ranks.

#include "pillar/session/options.hpp"
#include "pillar/synthetic/synthetic.hpp"
#include "pillar/tables/writer.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace pillar::plan {

/// Who proposes tokens that a step then checks.
struct DraftRequest {
    std::size_t n_most = 15; ///< proposals a step, at most
    session::ModelOptions
        model;               ///< a second model; neither file nor shape: the text itself (ngram)
    double acceptance = 0.7; ///< of a proposal whose predecessors were right

    [[nodiscard]] bool has_model() const noexcept {
        return model.synthetic.has_value() || !model.model.empty();
    }
};

/// What is asked of every number of ranks.
struct PlanRequest {
    session::ModelOptions model; ///< context, batch, cache type, all-reduce, wire and split
    std::size_t n_prompt = 512;
    std::size_t depth = 0;      ///< positions before the decoded token
    std::size_t n_parallel = 1; ///< sequences that decode together
    std::optional<DraftRequest> draft;
};

struct GridRequest {
    std::vector<std::string> models;  ///< shapes; empty: a choice of them; "all"
    std::vector<std::string> formats; ///< mixes; empty: those that such files usually have
};

struct PlanOptions {
    std::vector<std::size_t> ranks; ///< empty: 1, 2, 4, 8, or as many as there are nodes or shares
    std::vector<std::string> profiles; ///< files or names; several are for a grid; empty: "pi4"
    std::vector<std::string> nodes;    ///< the profile of each node instead
    std::string network;               ///< instead of the profiles'; empty: theirs
    PlanRequest request;
    std::optional<GridRequest> grid;
    tables::Format format = tables::Format::md;
};

/// The table. Throws Error for what is no model or no profile, UsageError for numbers that do not
/// go together.
std::string plan_text(const PlanOptions& options);

} // namespace pillar::plan
