#pragma once
// What a node and its network can do, as numbers: what plans are made from. Without a file they are
// those of a Raspberry Pi 4 with 8 GB; `pillar check` measures them. A file is JSON with comments;
// a number may have the range in which it lies and its source beside it.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

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

/// How far off a number of a profile may be.
struct NumberRange {
    std::string field; ///< "memory.read_gb_per_s"
    double low = 0;    ///< in the unit of the member
    double high = 0;
    std::string source; ///< where the number comes from; may be empty
};

/// One node, all its threads together.
struct MachineProfile {
    std::string name = "Raspberry Pi 4, 8 GB";
    double n_threads = 4;
    double available_bytes = 7.4e9;   ///< memory for weights, KV cache and buffers
    double read_bytes_per_s = 3.66e9; ///< linear reading
    double read_efficiency = 0.97;    ///< of it that products with one column reach
    double macs_per_s = 48e9;         ///< int8 multiplications with addition
    double mac_efficiency = 0.6;      ///< of it that products with many columns reach
    double grid_macs_per_s = 4.5e9;   ///< of formats that are looked up in grids (IQ1, IQ2, IQ3)
    double float_macs_per_s = 24e9;   ///< f32, for attention and float weights
    double float_efficiency = 0.5;
    double barrier_s = 2e-6; ///< of all threads of a node
    NetworkProfile network;
    PowerProfile power;
    double price = 0; ///< of a node, in some money; 0: not told
    /// Of the numbers that are not certain; the others count as exact.
    std::vector<NumberRange> ranges;
};

/// A packet of Ethernet with all its headers and gaps.
inline constexpr double packet_bytes = 1538;
/// Longer messages go in pieces that both sides agree on, as Open MPI sends them over TCP.
inline constexpr double max_eager_bytes = 65536;

/// Rates of formats with grids where a profile does not tell: this share of the int8 rate.
inline constexpr double usual_grid_share = 0.09;

/// The profiles that pillar brings along, by name: "pi4", "pi5", … (hostfiles/NAME.json).
std::vector<std::string_view> profile_names();
/// Networks that it brings along: "gigabit", "2.5-gigabit" (hostfiles/networks/NAME.json).
std::vector<std::string_view> network_names();

/// Of a file, or one of profile_names(). A profile has every number, unless its "base" names
/// another one of profile_names() that gives the rest. Throws IoError, or FormatError naming the
/// field that is missing, unknown, no number, or out of range.
MachineProfile read_profile(const std::string& path_or_name);
/// The same from memory; `path` is for sentences.
MachineProfile parse_profile(const std::string& text, const std::string& path);

/// `profile` gets the network of another file or of one of network_names(), whose section "network"
/// is complete; its name follows the profile's. Throws likewise.
void read_network(const std::string& path_or_name, MachineProfile& profile);

/// `profile` with one of its numbers changed. expects() a field of NumberRange::field's form.
MachineProfile with_number(const MachineProfile& profile, std::string_view field, double value);
/// The unit of a field's member in the file: of "memory.read_gb_per_s" 1e9. expects() likewise.
double unit_of(std::string_view field);

/// As JSON with a comment beside each number, after `header` as comment lines of its own.
std::string profile_text(const MachineProfile& profile, std::span<const std::string> header);

} // namespace pillar::perf
