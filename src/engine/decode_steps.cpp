// Rows of sequences that decode, with proposals, and what comes of them.

#include "pillar/engine/proposer.hpp"

#include "pillar/core/timing.hpp"

#include <algorithm>

namespace pillar::engine {

std::size_t room_for_proposals(const Sequence& sequence) noexcept {
    const SequenceOptions& options = sequence.options();
    const std::size_t n_tokens = sequence.tokens().size();
    std::size_t n = options.n_context - std::min(options.n_context, n_tokens);
    if (options.n_predict >= 0)
        n = std::min<std::size_t>(n, static_cast<std::size_t>(options.n_predict) - 1 -
                                         sequence.generated().size());
    return std::min(n, max_draft);
}

DecodeSteps::DecodeSteps(Proposer* proposer, std::size_t max_sequences) : proposer_(proposer) {
    asked_.reserve(max_sequences);
}

void DecodeSteps::begin(std::span<const Proposer::Asked> asked, std::size_t n_rows,
                        StepPlan& plan) {
    asked_.assign(asked.begin(), asked.end());
    n_rows_ = n_rows;
    go_on(plan);
}

void DecodeSteps::go_on(StepPlan& plan) {
    last_ = {};
    is_under_way_ = proposer_ != nullptr && proposer_->propose(asked_, n_rows_, plan);
    if (is_under_way_) return;
    plan.phase = Phase::decode;
    for (std::size_t i = 0; i < asked_.size(); ++i) {
        std::span<const tokenizer::TokenId> draft;
        if (proposer_ != nullptr) draft = proposer_->proposal(i);
        asked_[i].sequence->add_rows_of_draft(draft, asked_[i].slot, plan);
        last_.n_proposed += static_cast<std::uint32_t>(draft.size());
    }
    begin_s_ = monotonic_s();
}

void DecodeSteps::done(std::uint64_t step, const StepPlan& plan,
                       std::span<const RowOutcome> outcomes, StepObserver* observer) {
    if (plan.is_draft) return proposer_->drafted(plan, outcomes);
    if (proposer_ != nullptr) proposer_->step_took(plan.rows.size(), monotonic_s() - begin_s_);
    for (std::size_t i = 0; i < asked_.size(); ++i) {
        Sequence& sequence = *asked_[i].sequence;
        std::span<const tokenizer::TokenId> draft;
        if (proposer_ != nullptr) draft = proposer_->proposal(i);
        const std::size_t n_right =
            sequence.accept_draft(step, draft, outcomes.first(1 + draft.size()), observer);
        outcomes = outcomes.subspan(1 + draft.size());
        last_.n_accepted += static_cast<std::uint32_t>(n_right);
        if (proposer_ != nullptr) proposer_->checked(i, n_right, sequence.is_done());
    }
    counts_.n_rows += asked_.size();
    counts_.n_tokens += asked_.size() + last_.n_accepted;
    counts_.n_proposed += last_.n_proposed;
    counts_.n_accepted += last_.n_accepted;
}

} // namespace pillar::engine
