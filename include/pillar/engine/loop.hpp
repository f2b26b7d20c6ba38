#pragma once
// The loop that all ranks run together: rank 0 asks its scheduler for the next rows, broadcasts
// them; everybody computes; candidates, hash, error codes and signal flags come back in one gather;
// the scheduler sees the outcome. run, chat and batch are schedulers; the loop is the same.

#include "pillar/comm/communicator.hpp"
#include "pillar/engine/step.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace pillar::engine {

/// What came back for one row with want_logits. Rank 0 only; valid during the call.
struct RowOutcome {
    std::uint32_t row = 0;                           ///< index in the step's rows
    std::span<const sampling::Candidate> candidates; ///< best first; after penalties and bans
    std::span<const float> raw_logits;               ///< of the candidates, before penalties
    sampling::LogSum log_sum;                        ///< of the raw logits of the whole vocabulary
    std::span<const float> full_logits; ///< (vocab_size) raw, only where whole rows are gathered
};

/// Decides what is computed. Rank 0 only. An Error thrown here ends the loop on all ranks.
class Scheduler {
  public:
    virtual ~Scheduler() = default;
    /// Fill the empty `plan`; false ends the loop. Makes sure that the cache has pages for the
    /// rows.
    virtual bool next(StepPlan& plan) = 0;
    /// What the step gave. `signalled`: a rank was asked to stop (SIGUSR1); finish what is there.
    virtual void done(std::uint64_t step, const StepPlan& plan,
                      std::span<const RowOutcome> outcomes, bool signalled) = 0;
    /// Of the step that done() has seen last: rows whose tokens were proposed, and how many of
    /// these tokens were picked.
    struct Proposals {
        std::uint32_t n_proposed = 0;
        std::uint32_t n_accepted = 0;
    };
    [[nodiscard]] virtual Proposals proposals() const noexcept { return {}; }
};

struct LoopOptions {
    sampling::Parameters sampling; ///< of sequences until a plan says otherwise
    /// Never candidates of sequences that a plan does not exempt (--ignore-eos).
    std::vector<sampling::TokenId> banned;
    std::size_t n_candidates = 1; ///< most that rank 0 gets of each rank; ignored with full rows
    bool full_logits = false; ///< gather whole rows: chains that do not start with top-k, `logits`
    std::size_t max_full_rows = 0; ///< of a step, of sequences that ask for whole rows of their own
    bool log_sums = false;         ///< Σexp of the vocabulary: log-probabilities in the trace
};

/// What one chain needs: one that does not start with a short top-k every logit on rank 0.
LoopOptions loop_options_for(const sampling::Parameters& sampling);

/// Whole rows of logits, each with all its tokens sorted, that rank 0 keeps in so many bytes; two
/// at least.
std::size_t full_rows_in(std::uint64_t n_bytes, std::size_t vocab_size) noexcept;

/// Bytes that a Loop allocates on the rank that owns `share`, the communicator's buffers for its
/// all-reduces apart. Rank 0 has room for all ranks' replies and what it makes of them, each of
/// `n_threads` for a row of logits after penalties.
std::uint64_t loop_bytes(const partition::Sizes& sizes, const partition::Share& share,
                         const forward::TransformerOptions& model_options,
                         const LoopOptions& options, int n_threads);

/// Step collectives of the largest step: all-reduces, broadcast and gather.
std::size_t max_collectives(const forward::Transformer& model) noexcept;

class Loop {
  public:
    /// Collective. The options are the same on all ranks. `draft`: a second model of the same
    /// vocabulary, which plans may ask for; it has room for as many sequences, positions and rows.
    /// Throws comm::AgreedError.
    Loop(forward::Transformer& transformer, comm::Communicator& comm, const LoopOptions& options,
         forward::Transformer* draft = nullptr);
    ~Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    /// Not owned; the same kind on every rank.
    void observe(StepObserver* observer) noexcept;

    /// Collective. May be called again. Run until the scheduler (rank 0's; ignored elsewhere) has
    /// nothing more. True, on every rank, when a signal asked for the end. Throws comm::AgreedError
    /// on all ranks when a rank failed or hashes differ.
    bool run(Scheduler* scheduler);

    /// Between two runs, on every rank alike: a sequence begins with these tokens, whose keys and
    /// values have been put into the cache (Transformer::write_kv).
    void set_tokens(std::int32_t sequence, std::span<const sampling::TokenId> tokens) noexcept;

    [[nodiscard]] std::uint64_t n_steps() const noexcept;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace pillar::engine
