#pragma once
// Nodes that need not be alike, one rank each, and how far off what is predicted of them may be.

#include "pillar/core/function_ref.hpp"
#include "pillar/perf/machine_profile.hpp"

#include <cstddef>
#include <vector>

namespace pillar::perf {

struct Cluster {
    std::vector<MachineProfile> kinds; ///< at least one
    std::vector<std::size_t> nodes;    ///< each rank's kind; empty: all are of the first

    [[nodiscard]] const MachineProfile& of(std::size_t rank) const noexcept {
        return kinds[nodes.empty() ? 0 : nodes[rank]];
    }
};

/// What nodes do together goes at the pace of the slowest, number by number.
struct Meeting {
    double barrier_s = 0;
    NetworkProfile network;
};
Meeting meeting_of(const Cluster& cluster);
Meeting meeting_of(const MachineProfile& profile);

/// What is predicted, and between which bounds it lies when the numbers do.
struct Interval {
    double value = 0;
    double low = 0;
    double high = 0;
};

/// Of each outcome of `predict`, which are positive. Every number with a range goes to its ends
/// alone, of all nodes of a kind at once; the changes' logarithms add up as squares, those upwards
/// and those downwards apart, as those of independent errors do.
std::vector<Interval> intervals(const Cluster& cluster,
                                FunctionRef<std::vector<double>(const Cluster&)> predict);

} // namespace pillar::perf
