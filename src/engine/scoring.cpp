#include "pillar/engine/scoring.hpp"

#include <utility>

namespace pillar::engine {

void WindowScoring::begin(ScoringWindow window) {
    window_ = std::move(window);
    n_fed_ = 0;
    is_stopped_ = false;
}

bool WindowScoring::next(StepPlan& plan) {
    if (is_stopped_ || is_complete()) return false;
    if (n_fed_ == 0) plan.keeps.push_back({0, 0, -1}); // the window before is forgotten
    std::size_t n_logits = 0;
    for (std::size_t t = n_fed_; t < window_.ids.size() && plan.rows.size() < max_rows_; ++t) {
        const bool wants_logits = window_.all_logits || is_scored(t);
        if (wants_logits && n_logits++ == max_logit_rows_) break;
        plan.rows.push_back({window_.ids[t], static_cast<std::int32_t>(t), 0, wants_logits});
        if (wants_logits) plan.labels.push_back(is_scored(t) ? window_.ids[t + 1] : 0);
    }
    return true;
}

void WindowScoring::done(std::uint64_t /*step*/, const StepPlan& plan,
                         std::span<const RowOutcome> outcomes, bool signalled) {
    for (const RowOutcome& outcome : outcomes) {
        const auto t = static_cast<std::size_t>(plan.rows[outcome.row].position);
        if (!is_scored(t)) continue;
        const sampling::TokenId label = window_.ids[t + 1];
        const float logit = outcome.full_logits.empty()
                                ? outcome.raw_logits.front()
                                : outcome.full_logits[static_cast<std::size_t>(label)];
        on_score_({t, label, logit, outcome.log_sum, outcome.full_logits});
    }
    n_fed_ += plan.rows.size();
    is_stopped_ = signalled;
}

} // namespace pillar::engine
