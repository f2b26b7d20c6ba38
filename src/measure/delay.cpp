#include "pillar/measure/delay.hpp"

#include "of_ranks.hpp"

#include "pillar/comm/agree.hpp"
#include "pillar/core/aligned_buffer.hpp"
#include "pillar/core/timing.hpp"
#include "pillar/measure/bandwidth.hpp"

#include <algorithm>
#include <optional>
#include <vector>

namespace pillar::measure {

double sum_delay_s(comm::Communicator& comm, threads::Team& team) {
    constexpr std::size_t n_floats = 2048;
    constexpr std::size_t n_bytes = std::size_t{8} << 20;
    constexpr int n_rounds = 9;
    constexpr int n_calls = 8; // a round
    if (comm.size() == 1) return 0;
    std::optional<ReadBandwidth> memory;
    comm::agree(comm, [&] { memory.emplace(team, n_bytes); });
    AlignedBuffer<float> values(n_floats);
    comm.choose(comm::only(comm::Algorithm::direct));
    comm.reserve(n_floats);

    const auto time_of = [&](bool reads, bool sums) {
        comm.allreduce(values.span()); // all together again
        const Stopwatch clock;
        for (int i = 0; i < n_calls; ++i) {
            if (reads) memory->read(team);
            if (sums) comm.allreduce(values.span());
        }
        return clock.elapsed_s() / n_calls;
    };
    (void)time_of(true, true); // first touch, connections
    std::vector<double> readings_s, sums_s, both_s;
    for (int round = 0; round < n_rounds; ++round) {
        readings_s.push_back(time_of(true, false));
        both_s.push_back(time_of(true, true));
        sums_s.push_back(time_of(false, true));
    }
    const double reading_s = slowest_median(comm, readings_s);
    const double sum_s = slowest_median(comm, sums_s);
    return std::max(slowest_median(comm, both_s) - reading_s - sum_s, 0.0);
}

} // namespace pillar::measure
