#pragma once
// A rank's reply to a step request: its best candidates for every row with logits, after penalties
// on its own vocabulary rows. reply.cpp fills it (every rank), outcome.cpp reads all ranks' replies
// (rank 0).

#include "message.hpp"
#include "sequences.hpp"

#include "pillar/engine/loop.hpp"

#include <algorithm>
#include <optional>
#include <vector>

namespace pillar::engine {

bool has_penalties(const sampling::Parameters& parameters) noexcept;

/// Whole rows that a step may gather, of every sequence or of some.
constexpr std::size_t max_full_rows(const LoopOptions& options,
                                    std::size_t max_logit_rows) noexcept {
    return options.full_logits ? max_logit_rows : std::min(options.max_full_rows, max_logit_rows);
}

/// Bytes the reply of a rank with so many rows of the vocabulary may take.
std::size_t reply_capacity(std::size_t vocabulary_rows, std::size_t max_logit_rows,
                           const LoopOptions& options);

class ReplyBuilder {
  public:
    ReplyBuilder(const forward::Transformer& transformer, const LoopOptions& options);

    /// The candidates' part of the message; the team shares the rows. `logits`: (rows with
    /// want_logits, own vocabulary rows).
    void write(const StepPlan& plan, std::span<const float> logits, const Sequences& sequences,
               MessageWriter& message);

    static std::uint64_t size_bytes(std::size_t vocabulary_rows, std::size_t max_logit_rows,
                                    const LoopOptions& options, int n_threads);

  private:
    /// What is sent of one row with logits.
    struct Found {
        const forward::Row* row = nullptr;
        ReplyRow head;
        std::vector<ReplyCandidate> candidates; ///< has room for n_candidates
    };
    struct Scratch {
        AdjustedLogits adjusted; ///< of own rows of the vocabulary
        std::vector<sampling::Candidate> best;
    };
    /// `label`: the only token that is looked for.
    void find(Found& found, std::span<const float> raw, const Sequences& sequences,
              std::optional<sampling::TokenId> label, Scratch& scratch) const noexcept;
    [[nodiscard]] sampling::LogSum log_sum(std::span<const float> raw) const noexcept;

    const forward::Transformer& transformer_;
    const LoopOptions& options_;
    std::vector<Scratch> scratch_; ///< a thread each
    std::vector<Found> found_;     ///< (max_logit_rows)
};

/// Rank 0 only: all ranks' replies to one step, merged.
class OutcomeReader {
  public:
    OutcomeReader(const forward::Transformer& transformer, const comm::Communicator& comm,
                  const LoopOptions& options);

    struct Flags {
        bool failed = false;
        bool signalled = false;
        bool hashes_differ = false;
    };
    Flags read(std::span<const forward::Row> rows, const comm::GatherBuffer& replies,
               const Sequences& sequences);

    static std::uint64_t size_bytes(std::size_t vocab_size, std::size_t max_logit_rows,
                                    const LoopOptions& options, int n_ranks);

    /// One a row with logits, in order; valid until the next read().
    [[nodiscard]] std::span<const RowOutcome> outcomes() const noexcept { return outcomes_; }
    /// Residual hash of each rank in the last step.
    [[nodiscard]] std::span<const std::uint64_t> hashes() const noexcept { return hashes_; }

  private:
    struct Slot { ///< results of one row with logits
        std::vector<sampling::Candidate> candidates;
        std::vector<float> raw;
        std::vector<float> full; ///< of a whole row
    };
    void read_candidates(Slot& merged, std::size_t n_wanted, std::vector<MessageReader>& readers);
    void read_full_row(Slot& merged, const forward::Row& row, std::vector<MessageReader>& readers,
                       const Sequences& sequences);

    const forward::Transformer& transformer_;
    const LoopOptions& options_;
    int n_ranks_;
    std::vector<std::vector<ReplyCandidate>> lists_; ///< a rank's candidates of one row
    std::vector<std::size_t> heads_;                 ///< how many of each list are merged
    std::vector<sampling::LogSum> log_sums_;         ///< a rank each
    AdjustedLogits adjusted_;                        ///< of whole rows
    std::vector<Slot> slots_;                        ///< of rows of which the best are sent
    std::vector<Slot> full_slots_;                   ///< of whole ones
    std::vector<RowOutcome> outcomes_;
    std::vector<std::uint64_t> hashes_;
    std::vector<MessageReader> readers_;
};

/// Combine as a balanced tree over the whole range: the slices' tree continued over ranks.
sampling::LogSum combine_tree(std::span<const sampling::LogSum> sums) noexcept;

} // namespace pillar::engine
