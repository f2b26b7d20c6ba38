// What a node by itself tells: memory, clocks, heat.

#include "rules.hpp"

#include "pillar/core/text.hpp"
#include "pillar/session/host_groups.hpp"
#include "pillar/telemetry/host.hpp"
#include "pillar/telemetry/other_work.hpp"
#include "pillar/terminal/progress.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/core.h>

namespace pillar::check {

namespace {

std::string host(const ClusterFacts& facts, int rank) {
    return facts.identity(rank).host;
}

std::string bytes(double n) {
    return human_bytes(n);
}

void judge_boards(const ClusterFacts& facts, const std::vector<int>& machines,
                  std::vector<Verdict>& verdicts) {
    std::vector<std::string> hosts, boards;
    for (const int rank : machines) {
        const NodeFacts& n = facts.node(rank);
        hosts.push_back(host(facts, rank));
        boards.push_back(fmt::format("{}{}{}, {}", n.board, n.board.empty() ? "" : ", ",
                                     n.cpu.empty() ? "unnamed processor" : n.cpu,
                                     counted(static_cast<std::size_t>(n.n_cpus), "CPU")));
    }
    const std::vector<session::Group> groups = session::groups_of(hosts, boards);
    if (groups.size() == 1)
        verdicts.push_back(
            {Level::good, "nodes",
             fmt::format("{}: {}", counted(machines.size(), "node"), printable(boards.front()))});
    else
        verdicts.push_back(
            {Level::note, "nodes",
             fmt::format("{}; the slowest holds up the others unless the split is uneven "
                         "(--split auto)",
                         session::listed(groups))});
    if (!facts.binding_warning.empty())
        verdicts.push_back({Level::slow, "threads", facts.binding_warning});
}

void judge_memory(const ClusterFacts& facts, const std::vector<int>& machines,
                  std::vector<Verdict>& verdicts) {
    bool all_fit = true;
    double least = 1e300, most = 0, min_available = 1e300;
    int poorest = machines.front();
    for (const int rank : machines) {
        const NodeFacts& n = facts.node(rank);
        if (n.memory_bytes < least) least = n.memory_bytes, poorest = rank;
        most = std::max(most, n.memory_bytes);
        min_available = std::min(min_available, n.available_bytes);
        for (const int beside : ranks_beside(facts, rank)) {
            if (facts.node(beside).shortage.empty()) continue;
            all_fit = false;
            verdicts.push_back(
                {Level::bad, "memory", facts.node(beside).shortage, ExitCode::refused});
            break; // once for a machine
        }
    }
    if (most > unequal_memory_ratio * least)
        verdicts.push_back({Level::note, "memory",
                            fmt::format("{} has {} where another node has {}: the least limits "
                                        "what fits",
                                        host(facts, poorest), bytes(least), bytes(most))});
    if (all_fit)
        verdicts.push_back({Level::good, "memory",
                            fmt::format("{} or more available on {}", bytes(min_available),
                                        counted(machines.size(), "node"))});
}

void judge_governors(const ClusterFacts& facts, const std::vector<int>& machines,
                     std::vector<Verdict>& verdicts) {
    std::vector<std::string> hosts, governors;
    for (const int rank : machines) {
        if (facts.node(rank).governor.empty()) continue;
        hosts.push_back(host(facts, rank));
        governors.push_back(facts.node(rank).governor);
    }
    if (hosts.empty()) {
        verdicts.push_back({Level::good, "governor", "not told here: no cpufreq in this kernel"});
        return;
    }
    bool all_fast = true;
    for (const session::Group& group : session::groups_of(hosts, governors)) {
        if (group.value == "performance") continue;
        all_fast = false;
        verdicts.push_back(
            {Level::slow, "governor",
             fmt::format("{} on {}: clocks fall while messages are waited for; jobs/tune_node.sh "
                         "sets performance",
                         group.value, session::join_once(group.hosts))});
    }
    if (all_fast)
        verdicts.push_back({Level::good, "governor",
                            fmt::format("performance on {}", counted(hosts.size(), "node"))});
}

void judge_clocks(const ClusterFacts& facts, const std::vector<int>& machines,
                  std::vector<Verdict>& verdicts) {
    bool all_good = true;
    double least = 1e300, most = 0;
    for (const int rank : machines) {
        const NodeFacts& n = facts.node(rank);
        if (!n.clock_mhz) continue;
        least = std::min(least, *n.clock_mhz);
        most = std::max(most, *n.clock_mhz);
        if (!n.max_clock_mhz || *n.clock_mhz >= slow_clock_share * *n.max_clock_mhz) continue;
        all_good = false;
        verdicts.push_back({Level::slow, "clock",
                            fmt::format("{} runs at {:.0f} of {:.0f} MHz under load: heat, a weak "
                                        "supply or the governor",
                                        host(facts, rank), *n.clock_mhz, *n.max_clock_mhz)});
    }
    if (most == 0)
        verdicts.push_back({Level::good, "clock", "not told here"});
    else if (all_good)
        verdicts.push_back({Level::good, "clock",
                            least == most ? fmt::format("{:.0f} MHz", most)
                                          : fmt::format("{:.0f} to {:.0f} MHz", least, most)});
}

/// What the bits ask for.
std::string remedy_of(unsigned bits) {
    const unsigned any = bits | bits >> 16;
    const bool hungry = (any & telemetry::under_voltage) != 0;
    const bool hot = (any & telemetry::soft_temperature_limit) != 0 ||
                     (!hungry && (any & telemetry::clock_throttled) != 0);
    if (hungry && hot) return "a supply that holds 5.1 V, and a fan";
    return hungry ? "a supply and a cable that hold 5.1 V" : "a heat sink or a fan";
}

void judge_throttling(const ClusterFacts& facts, const std::vector<int>& machines,
                      std::vector<Verdict>& verdicts) {
    std::size_t n_told = 0;
    bool all_good = true;
    for (const int rank : machines) {
        const NodeFacts& n = facts.node(rank);
        if (n.temperature_c && *n.temperature_c >= hot_c) {
            all_good = false;
            verdicts.push_back({Level::slow, "heat",
                                fmt::format("{} has {:.0f} °C; a Pi throttles from 80 °C: a heat "
                                            "sink or a fan",
                                            host(facts, rank), *n.temperature_c)});
        }
        if (!n.throttled) continue;
        ++n_told;
        if (*n.throttled == 0) continue;
        all_good = false;
        const bool now = (*n.throttled & 0xffffu) != 0;
        verdicts.push_back(
            {now ? Level::slow : Level::note, "throttling",
             fmt::format("{}: {}: {}", host(facts, rank),
                         telemetry::describe_throttling(*n.throttled), remedy_of(*n.throttled))});
    }
    if (!all_good) return;
    verdicts.push_back({Level::good, "throttling",
                        n_told == 0
                            ? std::string("not told here: no Raspberry Pi firmware")
                            : fmt::format("none since boot on {}", counted(n_told, "node"))});
}

/// "stress (812): 95 % of CPU 2, 30 % of CPU 3"; of the busiest three.
std::string busiest(const std::vector<ProcessFacts>& others) {
    constexpr std::size_t most = 3;
    std::vector<std::string> texts;
    for (const ProcessFacts& process : others) {
        if (texts.size() == most) break;
        std::vector<std::string> parts;
        for (std::size_t i = 0; i < process.on.size(); ++i)
            if (process.shares[i] >= 0.01)
                parts.push_back(
                    fmt::format("{:.0f} % of CPU {}", 100 * process.shares[i], process.on[i]));
        texts.push_back(fmt::format("{} (process {}): {}", printable(process.name), process.process,
                                    joined(parts, ", ")));
    }
    return joined(texts, "; ");
}

void judge_load(const ClusterFacts& facts, const std::vector<int>& machines,
                std::vector<Verdict>& verdicts) {
    bool all_good = true, is_told = false;
    double most = 0;
    for (const int rank : machines) {
        const NodeFacts& n = facts.node(rank);
        if (!n.other_cpus) continue;
        is_told = true;
        most = std::max(most, *n.other_cpus);
        if (!telemetry::disturbs(*n.other_cpus, n.n_cpus)) continue;
        all_good = false;
        verdicts.push_back({Level::slow, "load",
                            fmt::format("other programs kept {:.1f} of {}'s {} busy{}: all that "
                                        "was measured here, and runs until they end, are slower "
                                        "for it",
                                        *n.other_cpus, host(facts, rank),
                                        counted(static_cast<std::size_t>(n.n_cpus), "CPU"),
                                        n.others.empty() ? "" : " (" + busiest(n.others) + ")")});
    }
    if (all_good)
        verdicts.push_back({Level::good, "load",
                            is_told
                                ? fmt::format("other programs kept {:.2f} CPUs busy at most", most)
                                : std::string("not told here: no /proc/stat")});
}

void judge_bandwidth(const ClusterFacts& facts, const std::vector<int>& machines,
                     std::vector<Verdict>& verdicts) {
    std::vector<double> rates;
    for (const int rank : machines) {
        double rate = 0;
        for (const int other : ranks_beside(facts, rank))
            rate += facts.node(other).read_bytes_per_s;
        rates.push_back(rate);
    }
    std::vector<double> sorted = rates;
    std::ranges::sort(sorted);
    const double middle = sorted[sorted.size() / 2];
    bool all_good = true;
    for (std::size_t i = 0; i < rates.size(); ++i) {
        if (rates[i] >= slow_memory_share * middle) continue;
        all_good = false;
        verdicts.push_back({Level::slow, "bandwidth",
                            fmt::format("{} reads {:.2f} GB/s where the middle node reads {:.2f}: "
                                        "another program runs there, or it is throttled; every "
                                        "token waits for it",
                                        host(facts, machines[i]), rates[i] / 1e9, middle / 1e9)});
    }
    if (all_good)
        verdicts.push_back({Level::good, "bandwidth",
                            sorted.front() == sorted.back()
                                ? fmt::format("memory is read at {:.2f} GB/s", middle / 1e9)
                                : fmt::format("memory is read at {:.2f} to {:.2f} GB/s a node",
                                              sorted.front() / 1e9, sorted.back() / 1e9)});
}

void judge_time_of_day(const ClusterFacts& facts, const std::vector<int>& machines,
                       std::vector<Verdict>& verdicts) {
    double most = 0;
    int worst = 0;
    for (const int rank : machines)
        if (std::abs(facts.node(rank).clock_offset_s) > most)
            most = std::abs(facts.node(rank).clock_offset_s), worst = rank;
    if (machines.size() < 2) return;
    if (most > max_clock_offset_s)
        verdicts.push_back({Level::note, "time",
                            fmt::format("the time of day on {} is {:.1f} s off {}'s: set up NTP "
                                        "(`timedatectl set-ntp true`); traces do not mind",
                                        host(facts, worst), most, host(facts, 0))});
    else
        verdicts.push_back(
            {Level::good, "time",
             fmt::format("times of day within {:.1f} ms", std::max(most * 1e3, 0.1))});
}

} // namespace

std::vector<Verdict> judge_nodes(const ClusterFacts& facts) {
    const std::vector<int> machines = first_ranks(facts);
    std::vector<Verdict> verdicts;
    judge_boards(facts, machines, verdicts);
    judge_memory(facts, machines, verdicts);
    judge_governors(facts, machines, verdicts);
    judge_clocks(facts, machines, verdicts);
    judge_throttling(facts, machines, verdicts);
    judge_load(facts, machines, verdicts);
    judge_bandwidth(facts, machines, verdicts);
    judge_time_of_day(facts, machines, verdicts);
    return verdicts;
}

} // namespace pillar::check
