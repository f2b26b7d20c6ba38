#include "pillar/engine/generation.hpp"

#include <algorithm>

namespace pillar::engine {

bool Generation::next(StepPlan& plan) {
    sequence_.start();
    if (sequence_.is_done()) return false;
    if (decode_.is_under_way()) {
        decode_.go_on(plan);
    } else if (sequence_.is_decoding()) {
        const Proposer::Asked asked{0, &sequence_, room_for_proposals(sequence_)};
        decode_.begin({&asked, 1}, max_rows_ - 1, plan);
    } else {
        plan.phase = Phase::prefill;
        sequence_.add_rows(std::min(sequence_.n_left(), max_rows_), 0, plan);
    }
    return true;
}

void Generation::done(std::uint64_t step, const StepPlan& plan,
                      std::span<const RowOutcome> outcomes, bool signalled) {
    if (plan.is_draft || plan.phase == Phase::decode) {
        decode_.done(step, plan, outcomes, observer_);
    } else {
        sequence_.fed(step, plan.rows.size(), observer_);
        if (!outcomes.empty()) sequence_.accept(step, outcomes.front(), observer_);
    }
    if (signalled && !sequence_.is_done()) sequence_.finish(FinishReason::signal, observer_);
}

} // namespace pillar::engine
