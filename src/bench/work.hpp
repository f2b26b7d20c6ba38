#pragma once
// The least that a test must read and multiply on one rank.

#include "pillar/engine/benchmark.hpp"
#include "pillar/forward/cost.hpp"
#include "pillar/model/hyperparameters.hpp"
#include "pillar/perf/step_model.hpp"

#include <vector>

namespace pillar::bench {

/// Bytes and int8 multiplications: a rank's a second, or a test's of this rank.
struct Amounts {
    double bytes = 0;
    double macs = 0; ///< as a limit 0: not known for the family
};

/// The steps of a repetition in order, without those of the depth before it.
std::vector<perf::StepRows> steps_of(const engine::BenchmarkTest& test);

/// Of all of them on the rank with this cost.
Amounts work_of(const engine::BenchmarkTest& test, const forward::StepCost& cost,
                const model::Hyperparameters& h);

} // namespace pillar::bench
