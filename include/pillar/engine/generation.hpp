#pragma once
// One prompt, one answer: prefill in chunks, then decode until a stop rule. A scheduler for
// engine::Loop on rank 0.

#include "pillar/engine/proposer.hpp"
#include "pillar/engine/sequence.hpp"

#include <algorithm>
#include <array>

namespace pillar::engine {

struct GenerationOptions : SequenceOptions {
    std::size_t max_rows = 256; ///< prompt rows a step (-b)
};

/// Rank 0 only.
class Generation : public Scheduler {
  public:
    /// `proposer`: not owned; nullptr: nothing is proposed.
    Generation(const tokenizer::Tokenizer& tokenizer, std::vector<tokenizer::TokenId> prompt,
               std::string prompt_text, const GenerationOptions& options, Sequence::OnText on_text,
               Proposer* proposer = nullptr)
        : sequence_(tokenizer, 0, std::move(prompt), std::move(prompt_text), options,
                    std::move(on_text)),
          max_rows_(options.max_rows), decode_(proposer, 1) {}

    /// Gets the tokens and the sequence as they come. Not owned.
    void observe(StepObserver* observer) noexcept { observer_ = observer; }
    /// What of the prompt the cache has by now.
    [[nodiscard]] std::span<const tokenizer::TokenId> prompt_in_cache() const noexcept {
        return sequence_.tokens().first(
            std::min<std::size_t>(sequence_.n_fed(), sequence_.timings().n_prompt));
    }
    /// Before the first step: the first `n` tokens of the prompt, not all, are in the cache
    /// already.
    void begin_with(std::size_t n) { sequence_.fed(0, n, nullptr); }
    bool next(StepPlan& plan) override;
    void done(std::uint64_t step, const StepPlan& plan, std::span<const RowOutcome> outcomes,
              bool signalled) override;

    [[nodiscard]] const Sequence& sequence() const noexcept { return sequence_; }
    [[nodiscard]] const DraftCounts& draft_counts() const noexcept { return decode_.counts(); }
    [[nodiscard]] Proposals proposals() const noexcept override { return decode_.last(); }

  private:
    Sequence sequence_;
    std::size_t max_rows_;
    DecodeSteps decode_;
    StepObserver* observer_ = nullptr;
};

} // namespace pillar::engine
