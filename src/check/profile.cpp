#include "profile.hpp"

#include "pillar/core/text.hpp"
#include "pillar/perf/network_model.hpp"
#include "pillar/session/options.hpp"
#include "pillar/terminal/progress.hpp"

#include <algorithm>
#include <fmt/core.h>

namespace pillar::check {

namespace {

/// f32 multiply-adds are not measured. Registers hold a quarter as many f32 as int8 values; Arm
/// without dot products (neon) and AVX2 need two instructions for int8 where f32 needs one.
double float_share(const std::string& kernels) {
    return kernels == "neon" || kernels == "avx2" ? 0.5 : 0.25;
}

/// What is not measured, with bounds: what other engines and pillar reach on several processors.
void assume_efficiencies(perf::MachineProfile& profile) {
    const char* const source = "not measured";
    profile.read_efficiency = 0.9;
    profile.mac_efficiency = 0.6;
    profile.float_efficiency = 0.5;
    profile.ranges = {{"memory.efficiency", 0.8, 1, source},
                      {"arithmetic.int8_efficiency", 0.45, 0.8, source},
                      {"arithmetic.f32_efficiency", 0.3, 0.7, source}};
}

/// Between machines where there are several, else within the one.
std::vector<PairFacts> pairs_that_count(const ClusterFacts& facts) {
    std::vector<PairFacts> pairs;
    const bool several = first_ranks(facts, &IdentityFacts::network).size() > 1;
    for (const PairFacts& pair : facts.pairs)
        if (is_across(facts, pair) == several) pairs.push_back(pair);
    return pairs;
}

} // namespace

perf::MachineProfile profile_of(const ClusterFacts& facts) {
    perf::MachineProfile profile;
    const auto slowest = std::ranges::min_element(facts.nodes, {}, &NodeFacts::read_bytes_per_s);
    profile.name = slowest->board.empty() ? slowest->cpu : slowest->board;
    profile.n_threads = slowest->n_threads;
    profile.price = 0;
    assume_efficiencies(profile);
    profile.read_bytes_per_s = slowest->read_bytes_per_s;
    std::optional<double> macs;
    for (const NodeFacts& node : facts.nodes) {
        profile.available_bytes = &node == &facts.nodes.front()
                                      ? node.available_bytes
                                      : std::min(profile.available_bytes, node.available_bytes);
        if (node.products_per_s)
            macs = std::min(macs.value_or(*node.products_per_s), *node.products_per_s);
    }
    if (macs) {
        profile.macs_per_s = *macs;
        profile.float_macs_per_s = *macs * float_share(slowest->kernels);
        profile.grid_macs_per_s = *macs * perf::usual_grid_share;
    }
    profile.barrier_s = std::ranges::max(facts.nodes, {}, &NodeFacts::barrier_s).barrier_s;
    perf::NetworkProfile& network = profile.network;
    const auto slowest_reduction = [&](auto member) {
        return std::ranges::max(facts.nodes, {}, member).*member;
    };
    network.reduction = {slowest_reduction(&NodeFacts::f32_summing_s),
                         slowest_reduction(&NodeFacts::f16_summing_s),
                         slowest_reduction(&NodeFacts::q8_summing_s)};
    if (facts.overlap) {
        network.hidden_share = facts.overlap->hidden_share;
        network.jitter_s = facts.overlap->delay_s;
    }
    const std::vector<PairFacts> pairs = pairs_that_count(facts);
    if (!pairs.empty()) {
        network.latency_s = middle(pairs, &PairFacts::latency_s);
        network.s_per_byte = middle(pairs, &PairFacts::s_per_byte);
        network.s_per_byte_both_ways = middle(pairs, &PairFacts::s_per_byte_both_ways);
        network.s_per_byte_long = middle(pairs, &PairFacts::s_per_byte_long);
        network.store_and_forward_s_per_byte = middle(pairs, &PairFacts::stored_s_per_byte);
        network.message_overhead_s = std::min(network.message_overhead_s, network.latency_s);
    }
    return profile;
}

std::vector<std::string> profile_header(const ClusterFacts& facts) {
    const std::vector<int> machines = first_ranks(facts, &IdentityFacts::network);
    std::vector<std::string> lines = {
        fmt::format("Machine profile written by `pillar check` on {}.", hosts_of(facts, machines)),
        "Of unequal nodes the slowest, of pairs of nodes the middle one. Change what you know "
        "better;",
        "`pillar plan --profile` reads it. Not measured: efficiencies, message_overhead_us, power, "
        "and",
        "f32_gmac_per_s, a share of the int8 rate.",
    };
    if (machines.size() == 1)
        lines.push_back(facts.identities.size() == 1
                            ? "One rank: the network is the default of a Raspberry Pi 4."
                            : "One machine: its network is its memory.");
    return lines;
}

namespace {

constexpr std::size_t max_in_matrix = 16;

/// Above the diagonal microseconds, below it MB/s.
std::string matrix(const ClusterFacts& facts) {
    const std::vector<int> machines = first_ranks(facts, &IdentityFacts::network);
    if (machines.size() < 3 || machines.size() > max_in_matrix) return "";
    std::size_t width = 6;
    const auto host = [&](int rank) {
        return printable(facts.identities[static_cast<std::size_t>(rank)].host, 16);
    };
    for (const int rank : machines) width = std::max(width, host(rank).size());
    std::string text = fmt::format("\n{:{}}", "us \\ MB/s", width + 4);
    for (const int column : machines) text += fmt::format("  {:>{}}", host(column), width);
    text += '\n';
    for (const int row : machines) {
        text += fmt::format("{:{}}", host(row), width + 4);
        for (const int column : machines) {
            const auto pair = std::ranges::find_if(facts.pairs, [&](const PairFacts& p) {
                return p.a == std::min(row, column) && p.b == std::max(row, column);
            });
            const std::string cell = pair == facts.pairs.end() ? "-"
                                     : row < column
                                         ? fmt::format("{:.1f}", pair->latency_s * 1e6)
                                         : fmt::format("{:.1f}", 1e-6 / pair->s_per_byte);
            text += fmt::format("  {:>{}}", cell, width);
        }
        text += '\n';
    }
    return text;
}

/// What the cost model says of an all-reduce on this network with nothing computed in between.
double predicted_s(const ClusterFacts& facts, const AllreduceFacts& allreduce) {
    const perf::NetworkProfile network = profile_of(facts).network;
    const auto algorithm = comm::algorithm_named(allreduce.algorithm);
    return perf::allreduce_time(network, algorithm.value_or(comm::Algorithm::recursive_doubling),
                                comm::Wire::f32, static_cast<int>(facts.identities.size()),
                                static_cast<std::size_t>(allreduce.n_bytes) / sizeof(float))
        .total();
}

} // namespace

std::string check_text(const ClusterFacts& facts, const std::vector<Verdict>& verdicts) {
    std::string text;
    for (const Verdict& verdict : verdicts)
        text +=
            fmt::format("{:<4}  {:<10}  {}\n", name_of(verdict.level), verdict.about, verdict.text);
    text += matrix(facts);
    if (!facts.allreduces.empty()) text += "\nfastest all-reduce, f32\n";
    for (const AllreduceFacts& allreduce : facts.allreduces)
        text += fmt::format("  {:<18} {:>9}: {:9.1f} us by {}, predicted {:.1f} us\n",
                            allreduce.what, human_bytes(allreduce.n_bytes), allreduce.time_s * 1e6,
                            allreduce.algorithm, predicted_s(facts, allreduce) * 1e6);
    return text;
}

} // namespace pillar::check
