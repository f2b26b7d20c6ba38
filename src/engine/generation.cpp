#include "pillar/engine/generation.hpp"

#include "pillar/core/timing.hpp"

#include <algorithm>

namespace pillar::engine {

/// What may follow, within the context and what is asked for.
void Generation::propose() {
    const SequenceOptions& options = sequence_.options();
    std::size_t n = std::min(length_.next(), max_rows_ - 1);
    n = std::min(n, options.n_context - std::min(options.n_context, sequence_.tokens().size()));
    if (options.n_predict >= 0)
        n = std::min<std::size_t>(n, static_cast<std::size_t>(options.n_predict) - 1 -
                                         sequence_.generated().size());
    const auto draft = continuation(sequence_.tokens(), n);
    n_draft_ = draft.size();
    std::ranges::copy(draft, draft_.begin());
}

bool Generation::next(StepPlan& plan) {
    sequence_.start();
    if (sequence_.is_done()) return false;
    n_draft_ = 0;
    step_begin_s_ = monotonic_s();
    plan.phase = sequence_.is_decoding() ? Phase::decode : Phase::prefill;
    if (plan.phase == Phase::prefill) {
        sequence_.add_rows(std::min(sequence_.n_left(), max_rows_), 0, plan);
    } else {
        propose();
        sequence_.add_rows_of_draft({draft_.data(), n_draft_}, 0, plan);
    }
    return true;
}

void Generation::done(std::uint64_t step, const StepPlan& plan,
                      std::span<const RowOutcome> outcomes, bool signalled) {
    if (plan.phase == Phase::prefill) {
        sequence_.fed(step, plan.rows.size(), observer_);
        if (!outcomes.empty()) sequence_.accept(step, outcomes.front(), observer_);
    } else {
        const std::size_t n_right =
            sequence_.accept_draft(step, {draft_.data(), n_draft_}, outcomes, observer_);
        length_.add(n_draft_, n_right, monotonic_s() - step_begin_s_);
        ++counts_.n_steps;
        counts_.n_proposed += n_draft_;
        counts_.n_accepted += n_right;
    }
    if (signalled && !sequence_.is_done()) sequence_.finish(FinishReason::signal, observer_);
}

} // namespace pillar::engine
