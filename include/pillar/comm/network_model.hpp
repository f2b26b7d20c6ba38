#pragma once
// --emulate-network.

namespace pillar::comm {

/// A network to emulate on one machine: what a message of n bytes takes is latency + n ·
/// s_per_byte, and each rank's cable carries one message at a time in each direction.
struct NetworkModel {
    double latency_s = 0;  ///< α
    double s_per_byte = 0; ///< G
};

} // namespace pillar::comm
