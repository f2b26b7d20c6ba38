#pragma once
// One prompt, one answer: prefill in chunks, then decode until a stop rule. A scheduler for
// engine::Loop on rank 0.

#include "pillar/engine/ngram_draft.hpp"
#include "pillar/engine/sequence.hpp"

#include <algorithm>
#include <array>

namespace pillar::engine {

struct GenerationOptions : SequenceOptions {
    std::size_t max_rows = 256; ///< prompt rows a step (-b)
    /// Tokens proposed a step at most (ngram_draft.hpp), 0: none. Needs as many rows with logits,
    /// and one more; not of models with windows, whose caches forget what a refused row would see.
    std::size_t n_draft = 0;
};

/// Rank 0 only.
class Generation : public Scheduler {
  public:
    Generation(const tokenizer::Tokenizer& tokenizer, std::vector<tokenizer::TokenId> prompt,
               std::string prompt_text, const GenerationOptions& options, Sequence::OnText on_text)
        : sequence_(tokenizer, 0, std::move(prompt), std::move(prompt_text), options,
                    std::move(on_text)),
          max_rows_(options.max_rows), length_(options.n_draft) {}

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
    [[nodiscard]] const DraftCounts& draft_counts() const noexcept { return counts_; }

  private:
    Sequence sequence_;
    void propose();

    std::size_t max_rows_;
    DraftLength length_;
    DraftCounts counts_;
    std::array<tokenizer::TokenId, max_draft> draft_{}; ///< of the step at hand
    std::size_t n_draft_ = 0;
    double step_begin_s_ = 0;
    StepObserver* observer_ = nullptr;
};

} // namespace pillar::engine
