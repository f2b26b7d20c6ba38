#include "pillar/perf/cluster.hpp"

#include <algorithm>
#include <cmath>

namespace pillar::perf {

namespace {

Meeting slower(const Meeting& a, const Meeting& b) {
    Meeting both = a;
    both.barrier_s = std::max(a.barrier_s, b.barrier_s);
    for (double NetworkProfile::*const member :
         {&NetworkProfile::latency_s, &NetworkProfile::s_per_byte,
          &NetworkProfile::s_per_byte_both_ways, &NetworkProfile::message_overhead_s,
          &NetworkProfile::store_and_forward_s_per_byte, &NetworkProfile::jitter_s,
          &NetworkProfile::s_per_byte_long})
        both.network.*member = std::max(a.network.*member, b.network.*member);
    both.network.hidden_share = std::min(a.network.hidden_share, b.network.hidden_share);
    for (double ReductionProfile::*const member :
         {&ReductionProfile::f32_s, &ReductionProfile::f16_s, &ReductionProfile::q8_s})
        both.network.reduction.*member =
            std::max(a.network.reduction.*member, b.network.reduction.*member);
    return both;
}

} // namespace

Meeting meeting_of(const MachineProfile& profile) {
    return {profile.barrier_s, profile.network};
}

Meeting meeting_of(const Cluster& cluster) {
    Meeting meeting = meeting_of(cluster.kinds.front());
    for (const MachineProfile& kind : cluster.kinds) meeting = slower(meeting, meeting_of(kind));
    return meeting;
}

std::vector<Interval> intervals(const Cluster& cluster,
                                FunctionRef<std::vector<double>(const Cluster&)> predict) {
    const std::vector<double> expected = predict(cluster);
    struct Squares {
        double up = 0, down = 0;
    };
    std::vector<Squares> sums(expected.size());
    for (std::size_t kind = 0; kind < cluster.kinds.size(); ++kind) {
        for (const NumberRange& range : cluster.kinds[kind].ranges) {
            if (range.low == range.high) continue;
            std::vector<Squares> most(expected.size()); // of this number, logarithms
            for (const double end : {range.low, range.high}) {
                Cluster other = cluster;
                other.kinds[kind] = with_number(other.kinds[kind], range.field, end);
                const std::vector<double> outcomes = predict(other);
                for (std::size_t i = 0; i < expected.size(); ++i) {
                    const double change = std::log(outcomes[i] / expected[i]);
                    most[i].up = std::max(most[i].up, change);
                    most[i].down = std::max(most[i].down, -change);
                }
            }
            for (std::size_t i = 0; i < expected.size(); ++i) {
                sums[i].up += most[i].up * most[i].up;
                sums[i].down += most[i].down * most[i].down;
            }
        }
    }
    std::vector<Interval> result;
    for (std::size_t i = 0; i < expected.size(); ++i)
        result.push_back({expected[i], expected[i] * std::exp(-std::sqrt(sums[i].down)),
                          expected[i] * std::exp(std::sqrt(sums[i].up))});
    return result;
}

} // namespace pillar::perf
