#pragma once
// Logits of every position of given ids (teacher forcing): `logits`, and the accuracy tests on it.

#include "pillar/engine/loop.hpp"

#include <functional>
#include <vector>

namespace pillar::engine {

/// Rows that are gathered and handed on at a time.
inline constexpr std::size_t evaluation_rows = 16;

/// Rank 0 only. Needs LoopOptions::full_logits and max_logit_rows ≥ evaluation_rows.
class Evaluation : public Scheduler {
  public:
    /// Gets the logits after ids[0..t], (vocab_size), in order of t.
    using OnLogits = std::function<void(std::size_t t, std::span<const float> logits)>;

    /// `rows_per_step` ≤ evaluation_rows.
    Evaluation(std::vector<sampling::TokenId> ids, std::size_t rows_per_step, OnLogits on_logits);

    bool next(StepPlan& plan) override;
    void done(std::uint64_t step, const StepPlan& plan, std::span<const RowOutcome> outcomes,
              bool signalled) override;
    [[nodiscard]] bool complete() const noexcept { return n_fed_ == ids_.size(); }

  private:
    std::vector<sampling::TokenId> ids_;
    std::size_t rows_per_step_;
    OnLogits on_logits_;
    std::size_t n_fed_ = 0;
    bool stopped_ = false;
};

} // namespace pillar::engine
