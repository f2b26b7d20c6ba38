#include "pillar/perf/run_shape.hpp"

namespace pillar::perf {

StepWork step_work(const RunShape& shape, const StepRows& rows) {
    StepWork work = step_work(shape.h, shape.ranks, rows);
    work.allreduce = shape.allreduce;
    work.wire = shape.wire;
    return work;
}

} // namespace pillar::perf
