#pragma once
// What every subcommand that computes does before its first step, on all ranks together: the same
// program, model and options everywhere; threads from the binding; the kernel family that all ranks
// have; memory enough; the slices read.

#include "pillar/comm/environment.hpp"
#include "pillar/engine/loop.hpp"
#include "pillar/forward/transformer.hpp"
#include "pillar/gguf/file.hpp"
#include "pillar/session/load_report.hpp"
#include "pillar/session/memory_check.hpp"
#include "pillar/session/options.hpp"
#include "pillar/session/placement.hpp"
#include "pillar/threads/team.hpp"
#include "pillar/tokenizer/tokenizer.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace pillar::session {

/// What a subcommand asks of the forward pass beyond the shared flags.
struct SessionNeeds {
    std::size_t max_logit_rows = 1;
    /// Not 0: max_logit_rows are as many as there are whole rows of logits in so many bytes, at
    /// least one, at most max_rows.
    std::uint64_t logit_bytes = 0;
    bool sums_activations = false;
    std::size_t max_sequences = 1;
    std::size_t max_rows = 0; ///< 0: -b
    /// The pool of pages is as large as memory allows, at least one context, at most a context a
    /// sequence; else it is the latter.
    bool sizes_pool_by_memory = false;
    bool keeps_windows = false; ///< forward::TransformerOptions::keeps_windows
    engine::LoopOptions loop;   ///< what its loop gathers
    std::uint64_t full_row_bytes =
        0; ///< loop.max_full_rows: as many as full_rows_in() these; 0: as it is
    /// Rank 0 only, before anything is loaded: throws Error when the subcommand cannot keep its
    /// results.
    std::function<void()> check_outputs{};
    /// Rank 0 only, once the model's header is open and before anything is measured or loaded:
    /// reads what is to be computed in a context of so many positions, or throws Error.
    std::function<void(const tokenizer::Tokenizer&, std::size_t n_context, FunctionRef<void()>)>
        read_input{};
};

class DraftModel; ///< src/session/draft_model.hpp

class Session {
  public:
    /// Collective. Throws comm::AgreedError on all ranks.
    Session(comm::Environment& environment, const ModelOptions& options, const SessionNeeds& needs);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    [[nodiscard]] comm::Communicator& comm() noexcept { return *comm_; }
    [[nodiscard]] const gguf::File& file() const noexcept { return *file_; }
    [[nodiscard]] const tokenizer::Tokenizer& tokenizer() const noexcept { return *tokenizer_; }
    [[nodiscard]] const model::Model& model() const noexcept { return *model_; }
    [[nodiscard]] forward::Transformer& transformer() noexcept { return *transformer_; }
    /// The second model's, where --draft names one.
    [[nodiscard]] forward::Transformer* draft() noexcept;
    [[nodiscard]] const kernels::Family& family() const noexcept { return *family_; }
    [[nodiscard]] int n_threads() const noexcept { return team_->size(); }
    [[nodiscard]] int max_threads() const noexcept { return max_threads_; }
    [[nodiscard]] threads::Team& team() noexcept { return *team_; }
    /// Collective. Compute with fewer threads than the model was loaded with, or again with as
    /// many.
    void set_threads(int n_threads);
    [[nodiscard]] double load_s() const noexcept { return load_s_; }
    [[nodiscard]] const Placement& placement() const noexcept { return placement_; }
    [[nodiscard]] const comm::AllreduceChoice& allreduce() const noexcept { return allreduce_; }

    /// Collective. With --allreduce auto: measure which one is fastest for a decode step and for a
    /// chunk of `prompt_rows` (rank 0's number counts), use these, and print them. Before the first
    /// step; `environment` and `options` are those of the constructor.
    void tune_allreduce(comm::Environment& environment, const ModelOptions& options,
                        std::size_t prompt_rows);

  private:
    void open_model(const ModelOptions& options);
    void warn_of_zeros(const std::string& mine) const;
    void choose_family(const kernels::Family* named);
    void choose_threads(int requested, std::string_view launcher);
    void read_input(const SessionNeeds& needs, std::size_t n_context);
    void place_model(const forward::TransformerOptions& wanted, const ModelOptions& options,
                     const engine::LoopOptions& loop);
    [[nodiscard]] forward::MemoryNeed need_of_both(const forward::TransformerOptions& wanted,
                                                   const ModelOptions& options,
                                                   const engine::LoopOptions& loop, int n_threads,
                                                   int rank, int n_ranks,
                                                   std::span<const double> weights) const;
    [[nodiscard]] std::size_t choose_pages(const forward::TransformerOptions& wanted,
                                           const ModelOptions& options,
                                           const engine::LoopOptions& loop);
    void check_memory(const forward::TransformerOptions& wanted, const ModelOptions& options,
                      const engine::LoopOptions& loop);
    void load_model(const forward::TransformerOptions& wanted, const ModelOptions& options);
    void print_summary(const ModelOptions& options) const;

    std::unique_ptr<comm::Communicator> comm_;
    std::optional<gguf::File> file_;
    std::optional<tokenizer::Tokenizer> tokenizer_;
    model::Hyperparameters h_;
    Placement placement_;
    partition::Share share_;
    const kernels::Family* family_ = nullptr;
    std::optional<threads::Team> team_; ///< the transformer refers to it: it never moves
    int n_cpus_ = 1;                    ///< for this rank alone
    int max_threads_ = 0;
    std::unique_ptr<model::Model> model_;
    std::unique_ptr<forward::Transformer> transformer_; ///< computes with the model
    std::unique_ptr<DraftModel> draft_;
    MemoryReport memory_;
    std::vector<LoadFacts> load_; ///< of all ranks
    double load_s_ = 0;           ///< until all were done
    comm::AllreduceChoice allreduce_;
};

/// One end-of-run line in llama.cpp's form: ms per token, tokens per second.
std::string timing_line(const char* what, double seconds, std::uint32_t n, const char* unit);

} // namespace pillar::session
