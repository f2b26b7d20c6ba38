#pragma once
// Proposals without a second model: what followed the last time that the sequence's end occurred in
// it.

#include "pillar/engine/proposer.hpp"
#include "pillar/speculation/payoff.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace pillar::speculation {

/// Tokens that are compared at most, and at least, to find the sequence's end earlier in it.
inline constexpr std::size_t max_suffix = 16, min_suffix = 2;

/// What may follow a sequence, as far as is wanted: where it reaches the sequence's end, it goes on
/// with itself, so that a text that repeats itself every few tokens does so for ever.
struct Continuation {
    std::span<const sampling::TokenId> followed; ///< empty: nothing may
    std::size_t n_suffix = 0; ///< tokens at the sequence's end that stood before these

    [[nodiscard]] sampling::TokenId token(std::size_t i) const noexcept {
        return followed[i % followed.size()];
    }
};
/// What followed where the longest suffix of `tokens` (min_suffix to max_suffix of them) has
/// occurred before, the latest place of that length.
Continuation continuation(std::span<const sampling::TokenId> tokens) noexcept;

class NgramProposer : public engine::Proposer {
  public:
    /// Up to `n_most` ≤ engine::max_draft tokens a sequence and step, of up to `max_sequences`.
    NgramProposer(std::size_t n_most, std::size_t max_sequences);

    bool propose(std::span<const Asked> asked, std::size_t n_rows, engine::StepPlan& plan) override;
    void drafted(const engine::StepPlan& plan,
                 std::span<const engine::RowOutcome> outcomes) override;
    [[nodiscard]] std::span<const tokenizer::TokenId>
    proposal(std::size_t i) const noexcept override;
    void checked(std::size_t i, std::size_t n_right, bool is_done) override;
    void step_took(std::size_t n_rows, double seconds) override;

  private:
    /// Of one sequence.
    struct Draft {
        std::vector<tokenizer::TokenId> tokens; ///< (≤ n_most)
        std::size_t n_suffix = 0;
    };

    std::size_t n_most_;
    Acceptance acceptance_;
    StepTimes times_;
    Retries retries_{32, 2}; // a try costs a row
    std::vector<Draft> drafts_;
    Choices choices_;
};

} // namespace pillar::speculation
