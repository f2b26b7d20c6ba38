#pragma once
// What the messages of a sum cost the processor: turning and adding the values, and the share of
// the waiting that computing can fill. A network card that moves bytes by itself leaves the cores
// free; a kernel that copies and counts every packet on them does not.

#include "pillar/comm/communicator.hpp"
#include "pillar/threads/team.hpp"

namespace pillar::measure {

/// Seconds a value of a sum of two ranks takes one thread beside its messages: encoding the own
/// copy, decoding both, adding. Of long vectors, which come from memory.
double reduction_s_per_value(comm::Wire wire);

/// A long sum alone, as much computing alone, and both at once.
struct OverlapTimes {
    double sum_s = 0;
    double computing_s = 0;
    double together_s = 0;
    /// Of the shorter of the two, what disappears behind the longer one: 0 to 1.
    [[nodiscard]] double hidden_share() const noexcept;
};

/// Collective. Sum 1 MiB as f32 in the background while `team` computes, as prompts do in halves;
/// less than a second on gigabit Ethernet. Each time is the slowest rank's, the median over rounds,
/// the same on all ranks; zeros on one rank. Afterwards `comm` sums with direct.
OverlapTimes measure_overlap(comm::Communicator& comm, threads::Team& team);

} // namespace pillar::measure
