#pragma once
// What a node and its network can do, as numbers: what plans are made from. Without a file they are
// those of a Raspberry Pi 4 with 8 GB; `pillar check` measures them. A file is JSON with comments.

#include <cstddef>
#include <span>
#include <string>

namespace pillar::perf {

/// What a value of a sum costs a rank beside its messages: encoding, decoding and adding, by one
/// thread. Seconds.
struct ReductionProfile {
    double f32_s = 3e-9;
    double f16_s = 6e-9;
    double q8_s = 8e-9;
};

/// From user to user, through one switch.
struct NetworkProfile {
    double latency_s = 50e-6;            ///< α: one way, a short message
    double s_per_byte = 8.5e-9;          ///< G: one direction busy
    double s_per_byte_both_ways = 10e-9; ///< G: both directions of a cable busy
    double message_overhead_s = 12e-6;   ///< o: each further message of a rank that sends several
    double store_and_forward_s_per_byte =
        8e-9;                       ///< a switch passes a packet on when it has it whole
    double jitter_s = 20e-6;        ///< delay of a collective between computing
    double s_per_byte_long = 10e-9; ///< G of messages beyond max_eager_bytes, both directions busy
    double hidden_share = 0.5;      ///< of a long sum's time, that computing meanwhile can fill
    ReductionProfile reduction;
};

struct PowerProfile {
    double idle_w = 1.6;
    double decode_w = 6.0;
    double peak_w = 7.2;
};

/// One node, all its threads together; of unequal nodes the slowest, for it holds up the others.
struct MachineProfile {
    std::string name = "Raspberry Pi 4, 8 GB";
    double n_threads = 4;
    double available_bytes = 7.4e9;  ///< memory for weights, KV cache and buffers
    double read_bytes_per_s = 4.4e9; ///< linear reading
    double read_efficiency = 0.85;   ///< of it that products with one column reach
    double macs_per_s = 48e9;        ///< int8 multiplications with addition
    double mac_efficiency = 0.6;     ///< of it that products with many columns reach
    double float_macs_per_s = 24e9;  ///< f32, for attention
    double float_efficiency = 0.5;
    double barrier_s = 2e-6; ///< of all threads of a node
    NetworkProfile network;
    PowerProfile power;
};

/// A packet of Ethernet with all its headers and gaps.
inline constexpr double packet_bytes = 1538;
/// Longer messages go in pieces that both sides agree on, as Open MPI sends them over TCP.
inline constexpr double max_eager_bytes = 65536;

/// Numbers that the file does not give keep the values of `base`. Throws IoError, or FormatError
/// naming the field that is unknown, no number, or out of range.
MachineProfile read_profile(const std::string& path, const MachineProfile& base = {});
/// The same from memory; `path` is for sentences.
MachineProfile parse_profile(const std::string& text, const std::string& path,
                             const MachineProfile& base = {});

/// As JSON with a comment beside each number, after `header` as comment lines of its own.
std::string profile_text(const MachineProfile& profile, std::span<const std::string> header);

} // namespace pillar::perf
