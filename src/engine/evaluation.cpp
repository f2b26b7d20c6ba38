#include "pillar/engine/evaluation.hpp"

#include <algorithm>

namespace pillar::engine {

Evaluation::Evaluation(std::vector<sampling::TokenId> ids, std::size_t rows_per_step,
                       OnLogits on_logits)
    : ids_(std::move(ids)), rows_per_step_(std::min(rows_per_step, evaluation_rows)),
      on_logits_(std::move(on_logits)) {}

bool Evaluation::next(StepPlan& plan) {
    if (stopped_ || complete()) return false;
    const std::size_t end = std::min(n_fed_ + rows_per_step_, ids_.size());
    for (std::size_t t = n_fed_; t < end; ++t)
        plan.rows.push_back({ids_[t], static_cast<std::int32_t>(t), 0, true});
    return true;
}

void Evaluation::done(std::uint64_t /*step*/, const StepPlan& plan,
                      std::span<const RowOutcome> outcomes, bool signalled) {
    for (const RowOutcome& outcome : outcomes)
        on_logits_(static_cast<std::size_t>(plan.rows[outcome.row].position), outcome.full_logits);
    n_fed_ += plan.rows.size();
    stopped_ = signalled;
}

} // namespace pillar::engine
