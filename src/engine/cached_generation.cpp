#include "pillar/engine/cached_generation.hpp"

#include "pillar/core/errors.hpp"

#include <algorithm>

namespace pillar::engine {

void CachedGeneration::begin(const tokenizer::Tokenizer& tokenizer,
                             std::vector<tokenizer::TokenId> prompt, std::string prompt_text,
                             const SequenceOptions& options, Sequence::OnText on_text) {
    sequence_.emplace(tokenizer, n_begun_++, std::move(prompt), std::move(prompt_text), options,
                      std::move(on_text));
    decode_.stop();
    has_begun_ = false;
    n_read_ = n_found_ = 0;
}

/// The last token of a prompt is fed always: what follows it is asked for.
void CachedGeneration::keep_common(StepPlan& plan) {
    const std::span<const tokenizer::TokenId> prompt = sequence_->tokens();
    const auto differs = std::ranges::mismatch(cached_, prompt.first(prompt.size() - 1)).in1;
    auto n = static_cast<std::size_t>(differs - cached_.begin());
    if (n < cached_.size()) {
        if (!keeps_(static_cast<std::int32_t>(n))) n = 0;
        plan.keeps.push_back({0, static_cast<std::int32_t>(n)});
        cached_.resize(n);
    }
    n_found_ = n;
    sequence_->fed(0, n, nullptr);
}

bool CachedGeneration::next(StepPlan& plan) {
    expects(sequence_.has_value(), "an answer has begun");
    if (sequence_->is_done()) return false;
    sequence_->start();
    if (!has_begun_) keep_common(plan);
    has_begun_ = true;
    if (decode_.is_under_way()) {
        decode_.go_on(plan);
    } else if (sequence_->is_decoding()) {
        const Proposer::Asked asked{0, &*sequence_, room_for_proposals(*sequence_)};
        decode_.begin({&asked, 1}, max_rows_ - 1, plan);
    } else {
        plan.phase = Phase::prefill;
        sequence_->add_rows(std::min(sequence_->n_left(), max_rows_), 0, plan);
    }
    return true;
}

void CachedGeneration::done(std::uint64_t step, const StepPlan& plan,
                            std::span<const RowOutcome> outcomes, bool signalled) {
    if (plan.is_draft || plan.phase == Phase::decode) {
        decode_.done(step, plan, outcomes, observer_);
    } else {
        n_read_ += plan.rows.size();
        sequence_->fed(step, plan.rows.size(), observer_);
        if (!outcomes.empty()) sequence_->accept(step, outcomes.front(), observer_);
    }
    // Rows of wrong proposals do not count: what comes next is written over them.
    const auto fed = sequence_->tokens().first(sequence_->n_fed());
    cached_.insert(cached_.end(), fed.begin() + static_cast<std::ptrdiff_t>(cached_.size()),
                   fed.end());
    if (signalled && !sequence_->is_done()) sequence_->finish(FinishReason::signal, observer_);
}

} // namespace pillar::engine
