#pragma once
// One rank's part of a model, loaded: what it is (hyperparameters, share), its weights and its
// rotary tables. Nothing in it changes while it is computed with, so one process may hold several
// (a draft and a target) and several workspaces (forward::Transformer) may share one.

#include "pillar/model/rope.hpp"
#include "pillar/model/weights.hpp"

namespace pillar::model {

struct Model {
    /// Reads this rank's slices and packs them by the team's threads. With `check`, weights that
    /// are no finite numbers are refused. Local: no communication. The file and the family must
    /// outlive the model. Throws Error.
    Model(const gguf::File& model_file, const Hyperparameters& hyperparameters,
          const partition::Share& own_share, const kernels::Family& kernel_family,
          threads::Team& team, bool check, LoadProgress progress);
    Model(const Model&) = delete;
    Model& operator=(const Model&) = delete;

    /// Own columns of the queries, and of keys or values.
    [[nodiscard]] std::size_t q_dim() const noexcept { return share.heads.size() * h.head_dim; }
    [[nodiscard]] std::size_t kv_dim() const noexcept { return share.kv_heads.size() * h.head_dim; }
    /// Query heads and KV heads.
    [[nodiscard]] std::size_t n_own_heads() const noexcept {
        return share.heads.size() + share.kv_heads.size();
    }

    const gguf::File& file; ///< rows of the embedding are read from it on demand
    const Hyperparameters h;
    const partition::Share share;
    const kernels::Family& family;
    const WeightPlan plan;
    LoadBytes load_bytes; ///< what loading asked the file for
    const Weights weights;
    const std::vector<RopeTable> rope; ///< one for each of h.ropes
};

} // namespace pillar::model
