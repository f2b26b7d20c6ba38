#pragma once
// What `check` knows of a cluster when it judges: gathered from all ranks, plain data.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pillar::check {

/// What must be the same everywhere.
struct IdentityFacts {
    int rank = 0;
    std::string host;    ///< as messages call it
    std::string machine; ///< equal for ranks under one kernel and for no others
    std::string network; ///< equal for ranks whose messages need no network, and for no others
    std::string program; ///< version, revision, hash
    std::string mpi;     ///< "Open MPI v4.1.4"
};

/// The model's file as this rank sees it.
struct ModelFacts {
    bool is_asked = false;                ///< -m or --synthetic was given
    std::string name;                     ///< path or name as given
    int code = 0;                         ///< exit code of what went wrong; 0: it is there
    std::string problem;                  ///< sentence
    std::string hash;                     ///< of the header
    double file_bytes = 0;                ///< of the whole file
    std::optional<double> cached_bytes{}; ///< of these, in this machine's page cache
};

struct LinkFacts {
    std::string name; ///< of the interface; "" when nothing was seen
    std::string state;
    std::optional<int> speed_mbit_per_s;
    std::string duplex;
    bool is_wireless = false;
    std::optional<bool> energy_efficient;
    std::optional<int> receive_delay_us;
};

/// A CPU of the machine.
struct CpuFacts {
    int cpu = 0;
    double speed = 0;     ///< in units that the machine's CPUs share
    bool is_used = false; ///< this rank's threads may run there
};

/// A process that is no rank and kept a part of a CPU busy during the check.
struct ProcessFacts {
    std::int64_t process = 0;
    std::string name;
    double cpus = 0;
    std::vector<int> on;        ///< CPUs, ascending …
    std::vector<double> shares; ///< … and what it took of each
};

struct NodeFacts {
    std::string board;
    std::string cpu;
    int n_cpus = 0;                        ///< online
    int n_threads = 0;                     ///< that this rank would compute with
    std::string kernels;                   ///< the fastest family that this rank can run
    std::vector<std::string> families;     ///< of its program
    std::vector<std::string> instructions; ///< telemetry::product_instructions
    std::vector<CpuFacts> cpus;            ///< empty: their speeds are not told
    double memory_bytes = 0;
    double available_bytes = 0;
    std::string limited_by;           ///< what `available_bytes` is limited by
    std::optional<double> need_bytes; ///< of this rank, for the model asked
    double weight_bytes = 0;          ///< of these, weights: what loading reads
    std::string shortage;             ///< what a run would be refused with; "": there is room
    std::string governor;             ///< "" where the kernel has none
    std::optional<double> max_clock_mhz;
    std::optional<double> clock_mhz; ///< the slowest CPU's, just after it was busy
    std::optional<double> temperature_c;
    std::optional<unsigned> throttled;    ///< Raspberry Pi's bits
    std::optional<double> supply_v;       ///< while busy
    std::optional<double> other_cpus;     ///< that other programs kept busy during the check
    std::int64_t process = 0;             ///< this rank's
    std::vector<ProcessFacts> others;     ///< of the machine, the busiest first
    double read_bytes_per_s = 0;          ///< this rank, while all ranks measure
    std::optional<double> products_per_s; ///< int8
    double barrier_s = 0;
    double f32_summing_s = 0; ///< a value, with this wire
    double f16_summing_s = 0;
    double q8_summing_s = 0;
    double clock_offset_s = 0; ///< of the time of day, from rank 0's
    double clock_uncertainty_s = 0;
    std::string named_interfaces; ///< btl_tcp_if_include, "" where all may be used
    std::vector<LinkFacts> links; ///< those that carried this check's messages
};

/// Two ranks alone on the network.
struct PairFacts {
    int a = 0;
    int b = 0;
    double latency_s = 0;
    double s_per_byte = 0;
    double s_per_byte_both_ways = 0;
    double s_per_byte_long = 0;
    double stored_s_per_byte = 0;
    double residual = 0;
    std::string carrier_a; ///< interface that the messages of a took; "": none was seen
    std::string carrier_b;
    int n_short = 0;      ///< round trips of short messages
    int n_stalls = 0;     ///< of these, stalls
    double longest_s = 0; ///< of these, the longest one
};

struct AllreduceFacts {
    std::string what;      ///< "one token", "256 prompt tokens"
    std::string algorithm; ///< the fastest one
    double n_bytes = 0;
    double time_s = 0;
};

/// How sums go together with computing; the same on all ranks.
struct OverlapFacts {
    double sum_s = 0; ///< a long one alone, as much computing alone, one in the other's background
    double computing_s = 0;
    double together_s = 0;
    double hidden_share = 0;
    double delay_s = 0; ///< of a short one between computing
};

/// Ranks are in order in the first three lists.
struct ClusterFacts {
    std::vector<IdentityFacts> identities;
    std::vector<ModelFacts> models;
    std::vector<NodeFacts> nodes;
    std::vector<PairFacts> pairs;
    std::vector<AllreduceFacts> allreduces;
    std::optional<OverlapFacts> overlap; ///< of several ranks
    std::string binding_warning;         ///< comm::Binding's

    [[nodiscard]] const IdentityFacts& identity(int rank) const {
        return identities[static_cast<std::size_t>(rank)];
    }
    [[nodiscard]] const NodeFacts& node(int rank) const {
        return nodes[static_cast<std::size_t>(rank)];
    }
};

} // namespace pillar::check
