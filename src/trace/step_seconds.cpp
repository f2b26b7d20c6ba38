#include "pillar/trace/step_seconds.hpp"

#include <algorithm>

namespace pillar::trace {

bool is_decode(const StepRow& step) noexcept {
    return step.phase == Phase::decode || step.is_draft != 0;
}

std::uint32_t n_picked(const StepRow& step) noexcept {
    return std::max(step.n_rows - step.n_proposed + step.n_accepted, 1u);
}

double step_seconds(const Trace& trace, std::size_t i) {
    const StepRow& step = trace.steps[i];
    if (i + 1 == trace.n_steps()) return step.duration_s;
    const StepRow& next = trace.steps[i + 1];
    if (is_decode(next) != is_decode(step) || next.step != step.step + 1) return step.duration_s;
    return next.t_start_s - step.t_start_s - step.trace_s;
}

} // namespace pillar::trace
