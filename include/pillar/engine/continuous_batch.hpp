#pragma once
// Many sequences at a time: they join and leave between steps, prompt chunks share steps with
// decoding, whole pages that two of them begin with alike are computed once, and when the pool of
// pages is empty the youngest one gives its own back and is computed again later. None of this
// changes a sequence's text. A scheduler for engine::Loop on rank 0.

#include "pillar/cache/page_tables.hpp"
#include "pillar/engine/proposer.hpp"
#include "pillar/engine/sequence.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace pillar::engine {

struct BatchLimits {
    std::size_t max_sequences = 1;   ///< at a time
    std::size_t max_rows = 256;      ///< of a step
    std::size_t max_prompt_rows = 0; ///< of a step that decodes too; 0: max_rows
    std::size_t n_pages = 0;         ///< of the pool; at least those of one context
    std::size_t n_context = 4096;
    bool shares_pages = true;       ///< Transformer::shares_pages()
    std::size_t n_candidates = 1;   ///< LoopOptions::n_candidates
    std::size_t min_candidates = 1; ///< of every sequence, whatever it needs
    std::size_t max_logit_rows = 1; ///< of a step; at least max_sequences
    std::size_t max_full_rows = 1;  ///< LoopOptions::max_full_rows; others wait for a later step
};

/// What the scheduler has done so far.
struct BatchCounts {
    std::uint64_t n_started = 0;
    std::uint64_t n_finished = 0;
    std::uint64_t n_set_back = 0;         ///< how often a sequence gave its pages back
    std::uint64_t n_shared_positions = 0; ///< of prompts, found computed
    std::uint64_t n_prompt = 0;           ///< tokens of the sequences that have finished
    std::uint64_t n_generated = 0;
};

/// Rank 0 only.
class ContinuousBatch : public Scheduler {
  public:
    /// The next sequence; nullptr when there are no more, or none yet while others run: then it is
    /// asked again after the next step. Where nothing runs (`may_wait`) it waits for one.
    struct Next {
        std::unique_ptr<Sequence> sequence;
        bool is_end = false;
    };
    using Source = std::function<Next(bool may_wait)>;
    /// Gets each sequence when it has ended, in the order in which they end.
    using OnFinished = std::function<void(std::unique_ptr<Sequence>)>;

    /// `proposer`: not owned; nullptr: nothing is proposed.
    ContinuousBatch(const BatchLimits& limits, Source source, OnFinished on_finished,
                    Proposer* proposer = nullptr);

    /// Gets the tokens and the sequences as they come. Not owned.
    void observe(StepObserver* observer) noexcept { observer_ = observer; }
    /// Called between two steps.
    void after_steps(std::function<void(const BatchCounts&)> call) {
        after_step_ = std::move(call);
    }
    /// Before the first step: sequence 0 of the cache has these.
    void begin_with(std::vector<tokenizer::TokenId> tokens);
    /// Let the loop's run end once, as soon as the cache has all of one sequence's prompt.
    void pause_after_a_prompt() noexcept { waits_for_prompt_ = true; }
    /// Where the cache has that prompt. It stays there until the loop runs again.
    struct ComputedPrompt {
        std::int32_t sequence = 0;
        std::vector<tokenizer::TokenId> tokens;
    };
    [[nodiscard]] const std::optional<ComputedPrompt>& computed_prompt() const noexcept {
        return computed_prompt_;
    }
    bool next(StepPlan& plan) override;
    /// `signalled`: what runs is left as it is, unfinished.
    void done(std::uint64_t step, const StepPlan& plan, std::span<const RowOutcome> outcomes,
              bool signalled) override;

    /// A signal has come while something was left to do.
    [[nodiscard]] bool is_stopped() const noexcept { return is_stopped_; }
    [[nodiscard]] const BatchCounts& counts() const noexcept { return counts_; }
    [[nodiscard]] const DraftCounts& draft_counts() const noexcept { return decode_.counts(); }
    [[nodiscard]] Proposals proposals() const noexcept override { return decode_.last(); }

  private:
    /// A sequence of the cache: who runs in it, or whose pages are still there.
    struct Slot {
        std::unique_ptr<Sequence> running;
        std::vector<tokenizer::TokenId> left; ///< tokens of pages that nobody needs any more
        std::size_t n_rows = 0;               ///< of the step at hand
        bool is_whole = false;                ///< it asks for whole rows of logits
    };
    struct Prefix {
        std::size_t slot = SIZE_MAX;
        std::size_t n_positions = 0; ///< whole pages
        bool is_underway = false;    ///< more of it is being computed
    };

    void find_computed_prompt();
    void admit(StepPlan& plan);
    [[nodiscard]] Prefix find_prefix(std::span<const tokenizer::TokenId> tokens) const;
    void start(std::unique_ptr<Sequence> sequence, const Prefix& prefix, std::size_t slot,
               StepPlan& plan);
    void keep(std::size_t slot, std::size_t n_positions, StepPlan& plan);
    void make_room(std::size_t slot, std::size_t n_rows, StepPlan& plan);
    [[nodiscard]] std::size_t n_promised() const;
    [[nodiscard]] std::size_t free_slot(const Prefix& prefix) const;
    bool drop_left_pages(std::size_t but, StepPlan& plan);
    void set_back(std::size_t slot, StepPlan& plan);
    void decode(StepPlan& plan);
    void take_ended();
    [[nodiscard]] std::vector<std::size_t> by_age() const;

    BatchLimits limits_;
    Source source_;
    OnFinished on_finished_;
    std::function<void(const BatchCounts&)> after_step_;
    StepObserver* observer_ = nullptr;
    cache::PageTables pages_; ///< as every rank's cache will have them after the plan
    std::vector<Slot> slots_;
    std::deque<std::unique_ptr<Sequence>> waiting_; ///< set back, or for room; the oldest first
    DecodeSteps decode_;
    std::vector<Proposer::Asked> asked_;
    bool is_decoding_ = false; ///< the step at hand is one of decode_
    bool waits_for_prompt_ = false;
    std::optional<ComputedPrompt> computed_prompt_;
    bool has_more_ = true;
    bool is_stopped_ = false;
    BatchCounts counts_;
};

} // namespace pillar::engine
