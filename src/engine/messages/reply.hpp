#pragma once
// A rank's reply to a step request: its best candidates for every row with logits, after penalties
// on its own vocabulary rows. reply.cpp fills it (every rank), outcome.cpp reads all ranks' replies
// (rank 0).

#include "message.hpp"
#include "sequences.hpp"

#include "pillar/engine/loop.hpp"

#include <vector>

namespace pillar::engine {

bool has_penalties(const sampling::Parameters& parameters) noexcept;

/// Whether whole rows may be gathered, of every sequence or of some.
constexpr bool may_be_full(const LoopOptions& options) noexcept {
    return options.full_logits || options.may_want_full_rows;
}

/// Bytes the reply of a rank with so many rows of the vocabulary may take.
std::size_t reply_capacity(std::size_t vocabulary_rows, std::size_t max_logit_rows,
                           const LoopOptions& options);

class ReplyBuilder {
  public:
    ReplyBuilder(const forward::Transformer& transformer, const LoopOptions& options);

    /// The candidates' part of the message. `logits`: (rows with want_logits, own vocabulary rows).
    void write(const StepPlan& plan, std::span<const float> logits, const Sequences& sequences,
               MessageWriter& message);

  private:
    void write_label(sampling::TokenId label, std::span<const float> raw, ReplyRow& head,
                     MessageWriter& message) const;
    void write_candidates(const forward::Row& row, std::span<const float> raw,
                          const Sequences& sequences, ReplyRow& head, MessageWriter& message);
    [[nodiscard]] sampling::LogSum log_sum(std::span<const float> raw) const;

    const forward::Transformer& transformer_;
    const LoopOptions& options_;
    AdjustedLogits adjusted_; ///< of own rows of the vocabulary
    std::vector<sampling::Candidate> best_;
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
    void read_candidates(std::size_t slot, std::size_t n_wanted,
                         std::vector<MessageReader>& readers);
    void read_full_row(std::size_t slot, const forward::Row& row,
                       std::vector<MessageReader>& readers, const Sequences& sequences);

    struct Slot { ///< results of one row with logits
        std::vector<sampling::Candidate> candidates;
        std::vector<float> raw;
        std::vector<float> full;
    };

    const forward::Transformer& transformer_;
    const LoopOptions& options_;
    int n_ranks_;
    std::vector<std::vector<ReplyCandidate>> lists_; ///< a rank's candidates of one row
    std::vector<std::size_t> heads_;                 ///< how many of each list are merged
    std::vector<sampling::LogSum> log_sums_;         ///< a rank each
    AdjustedLogits adjusted_;                        ///< of whole rows
    std::vector<Slot> slots_;
    std::vector<RowOutcome> outcomes_;
    std::vector<std::uint64_t> hashes_;
    std::vector<MessageReader> readers_;
};

/// Combine as a balanced tree over the whole range: the slices' tree continued over ranks.
sampling::LogSum combine_tree(std::span<const sampling::LogSum> sums) noexcept;

} // namespace pillar::engine
