#pragma once
// Latency and bandwidth between two ranks by ping-pong, with the messages that collectives use.

#include "pillar/comm/communicator.hpp"
#include "pillar/core/function_ref.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace pillar::measure {

/// One length: half of a round trip.
struct OneWayTime {
    std::size_t n_bytes = 0;
    double time_s = 0; ///< of a fast round
};

struct LinkFit {
    double latency_s = 0;         ///< α
    double s_per_byte = 0;        ///< G
    double stored_s_per_byte = 0; ///< on the first packet alone: switches pass on what they have
    double residual = 0;          ///< root mean square of (time − fit) / time
};

/// time = α + G · bytes + S · min(bytes, one packet), none negative. G is the median slope between
/// messages longer than a packet, of which there are two or more; α and S are least squares of the
/// relative errors then. So neither short messages that a busy machine delays nor one length of the
/// long ones move the bandwidth.
LinkFit fit_link(std::span<const OneWayTime> times);

/// Round trips that took far longer than anything a network or a busy machine does to a short
/// message: an acknowledgement that was held back (Nagle's algorithm against delayed ones: 40 ms),
/// a packet sent again (200 ms).
struct Stalls {
    int n_rounds = 0;
    int n_stalls = 0;
    double longest_s = 0;
};
/// A round trip of a short message from here on is a stall: Linux's shortest delay of an
/// acknowledgement is 40 ms, its time slices are a tenth of that.
inline constexpr double stall_s = 30e-3;
/// Of the times of round trips.
Stalls stalls_of(std::span<const double> rounds_s);

struct LinkTimes {
    LinkFit fit;
    Stalls stalls;                   ///< of messages of up to a third of a packet
    double s_per_byte_both_ways = 0; ///< G while both send
    double s_per_byte_long = 0;      ///< the same of messages of 1 MiB
    std::size_t n_payload_bytes = 0; ///< that each of the two sent
};

/// Ranks a and b alone, both: about 0.6 s on gigabit Ethernet. Each length's time is the lower
/// decile of its rounds: what else a machine does delays rounds and hastens none. Only the very
/// long ones have the median, since what MPI and the system do with a message in pieces varies by
/// itself. The result is the lower rank's; the other one gets n_payload_bytes only.
LinkTimes measure_link(comm::Communicator& comm, int peer);

/// Collective. For each of `pairs` in turn call `body` on its two ranks while all others wait
/// quietly.
struct Pair {
    int a = 0;
    int b = 0; ///< > a
};
void for_each_pair(comm::Communicator& comm, std::span<const Pair> pairs,
                   FunctionRef<void(const Pair&)> body);

/// All pairs of up to 16 `ranks`; of more, those with the first and those of neighbours.
std::vector<Pair> pairs_of(std::span<const int> ranks);

} // namespace pillar::measure
