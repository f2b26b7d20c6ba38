#include "pillar/measure/barrier.hpp"

#include "pillar/core/median.hpp"
#include "pillar/core/timing.hpp"

#include <vector>

namespace pillar::measure {

double barrier_s(threads::Team& team) {
    constexpr int n_passes = 9;
    constexpr int n_barriers = 500;
    std::vector<double> times_s;
    for (int pass = 0; pass < n_passes; ++pass) {
        const Stopwatch clock;
        team.run([&](threads::Worker worker) {
            for (int i = 0; i < n_barriers; ++i) worker.barrier();
        });
        times_s.push_back(clock.elapsed_s() / n_barriers);
    }
    return median(times_s);
}

} // namespace pillar::measure
