#include "pillar/trace/step_seconds.hpp"

namespace pillar::trace {

double step_seconds(const Trace& trace, std::size_t i) {
    const StepRow& step = trace.steps[i];
    if (i + 1 == trace.n_steps()) return step.duration_s;
    const StepRow& next = trace.steps[i + 1];
    if (next.phase != step.phase || next.step != step.step + 1) return step.duration_s;
    return next.t_start_s - step.t_start_s - step.trace_s;
}

} // namespace pillar::trace
