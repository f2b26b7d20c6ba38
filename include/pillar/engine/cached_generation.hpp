#pragma once
// Answers one after another over one sequence of the cache: a chat. Of each prompt only what does
// not stand in the cache already is fed, so that a long conversation is read once. A scheduler for
// engine::Loop on rank 0, which is run once for each answer.

#include "pillar/engine/proposer.hpp"
#include "pillar/engine/sequence.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

namespace pillar::engine {

/// Rank 0 only.
class CachedGeneration : public Scheduler {
  public:
    /// Whether the cache's sequence 0 can be cut to so many positions: Transformer::keeps().
    using Keeps = std::function<bool(std::int32_t n_positions)>;

    /// `max_rows` ≥ 1: prompt rows a step (-b). `proposer`: not owned; nullptr: nothing is
    /// proposed.
    CachedGeneration(std::size_t max_rows, Keeps keeps, Proposer* proposer = nullptr)
        : max_rows_(max_rows), keeps_(std::move(keeps)), decode_(proposer, 1) {}

    /// The next answer. `prompt` is all of it, what is in the cache too: 1 to n_context tokens.
    void begin(const tokenizer::Tokenizer& tokenizer, std::vector<tokenizer::TokenId> prompt,
               std::string prompt_text, const SequenceOptions& options, Sequence::OnText on_text);

    /// Gets the tokens and the answers, which are numbered, as they come. Not owned.
    void observe(StepObserver* observer) noexcept { observer_ = observer; }
    /// Before the first answer: sequence 0 of the cache has these.
    void begin_with(std::vector<tokenizer::TokenId> tokens) { cached_ = std::move(tokens); }
    bool next(StepPlan& plan) override;
    void done(std::uint64_t step, const StepPlan& plan, std::span<const RowOutcome> outcomes,
              bool signalled) override;

    /// The latest answer. expects() that one has begun.
    [[nodiscard]] const Sequence& sequence() const noexcept { return *sequence_; }
    /// Rows of its prompt that were fed, and that were in the cache before.
    [[nodiscard]] std::size_t n_read() const noexcept { return n_read_; }
    [[nodiscard]] std::size_t n_found() const noexcept { return n_found_; }
    /// Of all answers so far.
    [[nodiscard]] const DraftCounts& draft_counts() const noexcept { return decode_.counts(); }
    [[nodiscard]] Proposals proposals() const noexcept override { return decode_.last(); }
    /// The tokens of sequence 0, by position.
    [[nodiscard]] std::span<const tokenizer::TokenId> cached() const noexcept { return cached_; }

  private:
    void keep_common(StepPlan& plan);

    std::size_t max_rows_;
    Keeps keeps_;
    std::vector<tokenizer::TokenId> cached_;
    std::optional<Sequence> sequence_;
    DecodeSteps decode_;
    bool has_begun_ = false; ///< the answer's first step is planned
    std::size_t n_read_ = 0;
    std::size_t n_found_ = 0;
    std::int32_t n_begun_ = 0; ///< answers
    StepObserver* observer_ = nullptr;
};

} // namespace pillar::engine
