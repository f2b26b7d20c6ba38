#include "pillar/engine/generation.hpp"

#include <algorithm>

namespace pillar::engine {

bool Generation::next(StepPlan& plan) {
    sequence_.start();
    if (sequence_.is_done()) return false;
    plan.phase = sequence_.is_decoding() ? Phase::decode : Phase::prefill;
    sequence_.add_rows(std::min(sequence_.n_left(), max_rows_), 0, plan);
    return true;
}

void Generation::done(std::uint64_t step, const StepPlan& plan,
                      std::span<const RowOutcome> outcomes, bool signalled) {
    sequence_.fed(step, plan.rows.size(), observer_);
    if (!outcomes.empty()) sequence_.accept(step, outcomes.front(), observer_);
    if (signalled && !sequence_.is_done()) sequence_.finish(FinishReason::signal, observer_);
}

} // namespace pillar::engine
