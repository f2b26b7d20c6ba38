#pragma once
// How probable a model holds the tokens of given texts: of some rows of a window the logarithm of
// Σ exp over the vocabulary and the logit of the token that comes next. `perplexity`, `imatrix`. A
// scheduler for engine::Loop on rank 0, which is run once for each window.

#include "pillar/engine/loop.hpp"

#include <functional>
#include <vector>

namespace pillar::engine {

/// A piece of text that is read from an empty cache.
struct ScoringWindow {
    std::vector<sampling::TokenId> ids;
    std::size_t first = 0; ///< rows first … ids.size() − 2 are scored; none where it is no less
    bool all_logits = false; ///< the output matrix is multiplied with every row, scored or not
};

/// Of row t; valid during the call.
struct Score {
    std::size_t t = 0;
    sampling::TokenId label = 0; ///< ids[t + 1]
    float label_logit = 0;
    sampling::LogSum log_sum;           ///< of the whole vocabulary, in the slices' tree
    std::span<const float> full_logits; ///< (vocab_size), only where whole rows are gathered
};

/// Rank 0 only. Needs LoopOptions::log_sums.
class WindowScoring : public Scheduler {
  public:
    /// Gets the scores in order of t.
    using OnScore = std::function<void(const Score&)>;

    /// Steps have as many rows as `options` has room for.
    WindowScoring(const forward::TransformerOptions& options, OnScore on_score)
        : max_rows_(options.max_rows), max_logit_rows_(options.max_logit_rows),
          on_score_(std::move(on_score)) {}

    /// What the next Loop::run reads: at least one token, at most n_context.
    void begin(ScoringWindow window);
    bool next(StepPlan& plan) override;
    void done(std::uint64_t step, const StepPlan& plan, std::span<const RowOutcome> outcomes,
              bool signalled) override;

    /// The whole window was read.
    [[nodiscard]] bool is_complete() const noexcept { return n_fed_ == window_.ids.size(); }

  private:
    [[nodiscard]] bool is_scored(std::size_t t) const noexcept {
        return t >= window_.first && t + 1 < window_.ids.size();
    }

    std::size_t max_rows_;
    std::size_t max_logit_rows_;
    OnScore on_score_;
    ScoringWindow window_;
    std::size_t n_fed_ = 0;
    bool is_stopped_ = false;
};

} // namespace pillar::engine
