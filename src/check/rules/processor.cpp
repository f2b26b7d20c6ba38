// What the CPUs of a node can do and what the program makes of it, and whether they are fed.

#include "rules.hpp"

#include "pillar/core/text.hpp"
#include "pillar/session/host_groups.hpp"
#include "pillar/telemetry/processor.hpp"

#include <algorithm>
#include <array>
#include <fmt/core.h>
#include <utility>

namespace pillar::check {

namespace {

const std::string& host_of(const ClusterFacts& facts, int rank) {
    return facts.identity(rank).host;
}

/// Instructions with the family that uses them, the fastest first.
constexpr std::array<std::pair<std::string_view, std::string_view>, 5> families_of_instructions{
    {{"avx512_vnni", "avx512"},
     {"avx_vnni", "avxvnni"},
     {"asimddp", "dotprod"},
     {"avx2", "avx2"},
     {"asimd", "neon"}}};

bool has(const std::vector<std::string>& list, std::string_view name) {
    return std::ranges::find(list, name) != list.end();
}

bool multiplies_by_dot_products(const NodeFacts& n) {
    return n.kernels == "avx512" || n.kernels == "avxvnni" || n.kernels == "dotprod";
}

/// CPUs with instructions for which the program has no kernels.
void judge_builds(const ClusterFacts& facts, std::vector<Verdict>& verdicts) {
    for (const int rank : first_ranks(facts)) {
        const NodeFacts& n = facts.node(rank);
        for (const auto& [instruction, family] : families_of_instructions) {
            if (!has(n.instructions, instruction)) continue;
            if (!has(n.families, family))
                verdicts.push_back(
                    {Level::slow, "kernels",
                     fmt::format("{}'s CPUs have {}, but this program was built without the {} "
                                 "kernels and computes with {}: build it with a newer compiler",
                                 host_of(facts, rank), instruction, family, n.kernels)});
            break; // the fastest that the CPU has
        }
    }
}

/// All ranks take the fastest family that each of them has, unless they are told.
void judge_families(const ClusterFacts& facts, std::vector<Verdict>& verdicts) {
    const std::size_t n_before = verdicts.size();
    judge_builds(facts, verdicts);
    std::vector<std::string> hosts, names;
    bool some = false, all = true;
    for (const int rank : first_ranks(facts)) {
        hosts.push_back(host_of(facts, rank));
        names.push_back(facts.node(rank).kernels);
        const bool dots = multiplies_by_dot_products(facts.node(rank));
        some |= dots;
        all &= dots;
    }
    const std::vector<session::Group> groups = session::groups_of(hosts, names);
    if (groups.size() > 1)
        verdicts.push_back(
            {Level::slow, "kernels",
             fmt::format("{}: a run takes the slowest of them on all nodes; give each rank "
                         "--kernels with its own, the text stays the same{}",
                         session::listed(groups),
                         some && !all ? ". Without dot-product instructions a prompt is read at "
                                        "about half the speed: --split auto gives such boards less"
                                      : "")});
    if (verdicts.size() > n_before) return;
    verdicts.push_back({Level::good, "kernels",
                        fmt::format("{}{}", names.front(),
                                    all ? ", by dot-product instructions"
                                        : ": these CPUs have no dot-product instructions")});
}

struct Cores {
    std::vector<int> fast, slow; ///< by number, of those that are used
    bool has_kinds = false;      ///< the machine has both, used or not
    double ratio = 1;
};

Cores cores_of(const NodeFacts& n) {
    Cores cores;
    double most = 0, least = 1e300;
    for (const CpuFacts& cpu : n.cpus) {
        most = std::max(most, cpu.speed);
        least = std::min(least, cpu.speed);
    }
    cores.has_kinds = most > unequal_cpu_ratio * least;
    cores.ratio = cores.has_kinds ? most / least : 1;
    for (const CpuFacts& cpu : n.cpus)
        if (cpu.is_used)
            (cpu.speed * unequal_cpu_ratio >= most ? cores.fast : cores.slow).push_back(cpu.cpu);
    return cores;
}

/// Every step of a team is as slow as its slowest thread.
void judge_cores(const ClusterFacts& facts, std::vector<Verdict>& verdicts) {
    for (const IdentityFacts& identity : facts.identities) {
        const int rank = identity.rank;
        const Cores cores = cores_of(facts.node(rank));
        if (!cores.has_kinds) continue;
        const std::string who = fmt::format("rank {} on {}", rank, host_of(facts, rank));
        const std::string fast = telemetry::cpu_list(cores.fast);
        const std::string slow = telemetry::cpu_list(cores.slow);
        if (cores.slow.empty())
            verdicts.push_back({Level::good, "cores",
                                fmt::format("{} computes on the fast CPUs {} alone", who, fast)});
        else if (cores.fast.empty())
            verdicts.push_back({Level::slow, "cores",
                                fmt::format("{} computes on the slow CPUs {} alone: bind it to the "
                                            "fast ones",
                                            who, slow)});
        else
            verdicts.push_back(
                {Level::slow, "cores",
                 fmt::format("{} computes on fast CPUs ({}) and slow ones ({}) together, which "
                             "differ {:.1f} times: every step waits for the slow ones; start it "
                             "as `taskset -c {} build/release/pillar …` (under mpirun with "
                             "--bind-to none): -t then is {}",
                             who, fast, slow, cores.ratio, fast, cores.fast.size())});
    }
}

void judge_supplies(const ClusterFacts& facts, std::vector<Verdict>& verdicts) {
    double least = 1e300;
    for (const int rank : first_ranks(facts)) {
        const NodeFacts& n = facts.node(rank);
        if (!n.supply_v) continue;
        least = std::min(least, *n.supply_v);
        // What is monitored may be a rail of 12 V or more: then 4.75 V says nothing of it.
        if (*n.supply_v >= min_supply_v) continue;
        verdicts.push_back({Level::slow, "supply",
                            fmt::format("{} gets {:.2f} V under load, {:.2f} V or more is right: a "
                                        "supply and a cable that hold 5.1 V; below 4.63 V a Pi "
                                        "lowers its clock",
                                        host_of(facts, rank), *n.supply_v, min_supply_v)});
    }
    if (least >= min_supply_v && least < 1e300)
        verdicts.push_back(
            {Level::good, "supply", fmt::format("{:.2f} V or more under load", least)});
}

} // namespace

std::vector<Verdict> judge_processors(const ClusterFacts& facts) {
    std::vector<Verdict> verdicts;
    judge_families(facts, verdicts);
    judge_cores(facts, verdicts);
    judge_supplies(facts, verdicts);
    return verdicts;
}

} // namespace pillar::check
