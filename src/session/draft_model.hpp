#pragma once
// The second model of a run: opened, placed and loaded beside the first one, on the same ranks.

#include "pillar/comm/communicator.hpp"
#include "pillar/engine/loop.hpp"
#include "pillar/forward/transformer.hpp"
#include "pillar/gguf/file.hpp"
#include "pillar/session/options.hpp"
#include "pillar/session/placement.hpp"
#include "pillar/threads/team.hpp"
#include "pillar/tokenizer/tokenizer.hpp"

#include <memory>
#include <optional>

namespace pillar::session {

class DraftModel {
  public:
    /// Collective. Opens the file of --draft. Throws comm::AgreedError: what gguf::File throws; a
    /// vocabulary that is not `vocabulary` (bad model).
    DraftModel(comm::Communicator& comm, const ModelOptions& options,
               const tokenizer::Vocabulary& vocabulary, std::size_t n_context);

    /// What rank `rank` of `n_ranks` needs for it beside a model with a workspace as `wanted`; with
    /// the split that has been chosen, if that is of so many ranks.
    [[nodiscard]] forward::MemoryNeed need(const kernels::Family& family,
                                           const ModelOptions& options,
                                           const forward::TransformerOptions& wanted,
                                           const engine::LoopOptions& loop, int n_threads, int rank,
                                           int n_ranks) const;
    /// Collective. Its own split, as --split says; `inputs` are those of the first model, of whose
    /// need this one's is told apart.
    void
    place(comm::Communicator& comm, const SplitRequest& request, const kernels::Family& family,
          threads::Team& team,
          FunctionRef<partition::Need(int rank, int n_threads, std::span<const double> weights)>
              need);
    /// Collective.
    void load(comm::Communicator& comm, const kernels::Family& family, const ModelOptions& options,
              const forward::TransformerOptions& wanted, threads::Team& team);

    [[nodiscard]] const gguf::File& file() const noexcept { return *file_; }
    [[nodiscard]] const model::Hyperparameters& h() const noexcept { return h_; }
    [[nodiscard]] forward::Transformer& transformer() noexcept { return *transformer_; }

  private:
    std::optional<gguf::File> file_;
    model::Hyperparameters h_;
    Placement placement_;
    partition::Share share_;
    std::unique_ptr<model::Model> model_;
    std::unique_ptr<forward::Transformer> transformer_;
};

/// Of the second model's workspace, beside a first one as `wanted`.
forward::TransformerOptions options_of_draft(const forward::TransformerOptions& wanted) noexcept;

} // namespace pillar::session
