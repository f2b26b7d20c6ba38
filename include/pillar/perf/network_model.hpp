#pragma once
// How long pillar's messages take on a network: pure functions of a profile. Who sends how much
// comes from comm's own schedules. Research behind the form: the postal model with α (latency), o
// (overhead of each further message) and G (time a byte), and a switch that stores a packet before
// it passes it on.

#include "pillar/comm/schedule.hpp"
#include "pillar/perf/machine_profile.hpp"

namespace pillar::perf {

/// What a collective's time is made of.
struct MessageTime {
    double latency_s = 0;   ///< α and o
    double bandwidth_s = 0; ///< G, and storing in the switch
    double reduction_s = 0; ///< encoding, decoding and adding values
    [[nodiscard]] double total() const noexcept { return latency_s + bandwidth_s + reduction_s; }
    MessageTime& operator+=(const MessageTime& other) noexcept {
        latency_s += other.latency_s;
        bandwidth_s += other.bandwidth_s;
        reduction_s += other.reduction_s;
        return *this;
    }
};

/// One message on an idle network.
MessageTime message_time(const NetworkProfile& network, std::size_t n_bytes) noexcept;

/// An all-reduce of `n_floats`, all ranks arriving together; without the profile's jitter.
/// recursive-doubling (and mpi, which is taken for it): one message after the other, each with α;
/// direct: all messages of a rank at once, α, then o for each further one; reduce_scatter: the same
/// twice, with parts of the vector; ring: 2(P − 1) messages of a part, one after the other. Each
/// copy of the vector that comes in is then added: log₂P with recursive-doubling, P − 1 with
/// direct, one with the others. Zero for one rank.
MessageTime allreduce_time(const NetworkProfile& network, comm::Algorithm algorithm,
                           comm::Wire wire, int n_ranks, std::size_t n_floats);

/// The fastest of those that --allreduce auto chooses from.
comm::Algorithm fastest_allreduce(const NetworkProfile& network, comm::Wire wire, int n_ranks,
                                  std::size_t n_floats);

/// Rank 0's message down the binomial tree, until the last rank has it.
MessageTime broadcast_time(const NetworkProfile& network, int n_ranks, std::size_t n_bytes);
/// A message of every rank up the tree, until rank 0 has all.
MessageTime gather_time(const NetworkProfile& network, int n_ranks, std::size_t n_bytes);

/// How programs exchange whose root serves all others: one after the other, it sends `n_bytes` to
/// each (or gets them from each).
MessageTime star_time(const NetworkProfile& network, int n_ranks, std::size_t n_bytes) noexcept;

} // namespace pillar::perf
