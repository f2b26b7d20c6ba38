// What the messages of the check itself tell: which interface took them, how fast.

#include "rules.hpp"

#include "pillar/core/text.hpp"

#include <algorithm>
#include <fmt/core.h>

namespace pillar::check {

namespace {

std::string pair_name(const ClusterFacts& facts, const PairFacts& pair) {
    return fmt::format("{} - {}", facts.identity(pair.a).host, facts.identity(pair.b).host);
}

/// Pairs on different machines.
std::vector<PairFacts> across(const ClusterFacts& facts) {
    std::vector<PairFacts> pairs;
    for (const PairFacts& pair : facts.pairs)
        if (is_across(facts, pair)) pairs.push_back(pair);
    return pairs;
}

/// "eth0 on pi1, pi3" for every interface name that `is_concerned` says yes to.
template <class Predicate>
std::vector<std::string> links_where(const ClusterFacts& facts, Predicate is_concerned) {
    std::vector<std::string> names;
    std::vector<std::vector<int>> ranks;
    for (const int rank : first_ranks(facts, &IdentityFacts::network))
        for (const LinkFacts& link : facts.node(rank).links) {
            if (!is_concerned(link)) continue;
            const auto found = std::ranges::find(names, link.name);
            const auto at = static_cast<std::size_t>(found - names.begin());
            if (found == names.end()) names.push_back(link.name), ranks.emplace_back();
            ranks[at].push_back(rank);
        }
    for (std::size_t i = 0; i < names.size(); ++i)
        names[i] = fmt::format("{} on {}", names[i], hosts_of(facts, ranks[i]));
    return names;
}

void judge_links(const ClusterFacts& facts, std::vector<Verdict>& verdicts) {
    const std::size_t n_before = verdicts.size();
    const auto slow = [&](std::string text) {
        verdicts.push_back({Level::slow, "link", std::move(text)});
    };
    for (const int rank : first_ranks(facts, &IdentityFacts::network))
        for (const LinkFacts& link : facts.node(rank).links) {
            const std::string& host = facts.identity(rank).host;
            if (link.speed_mbit_per_s && *link.speed_mbit_per_s < min_speed_mbit_per_s)
                slow(fmt::format("{} runs at {} Mbit/s on {}: cable or switch port", link.name,
                                 *link.speed_mbit_per_s, host));
            if (link.duplex == "half")
                slow(fmt::format("{} on {} is half duplex: cable or switch port", link.name, host));
            if (link.is_wireless)
                slow(fmt::format("{} sends over Wi-Fi ({}): name the wired interface in "
                                 "jobs/config/mca-params.conf (btl_tcp_if_include)",
                                 host, link.name));
        }
    for (const std::string& where :
         links_where(facts, [](const LinkFacts& l) { return l.energy_efficient.value_or(false); }))
        slow(fmt::format("energy-efficient Ethernet is on for {}: it sleeps between messages; "
                         "jobs/tune_node.sh turns it off",
                         where));
    for (const std::string& where : links_where(facts, [](const LinkFacts& l) {
             return l.receive_delay_us.value_or(0) > max_receive_delay_us;
         }))
        slow(fmt::format("packets are held back before they are told of (rx-usecs above {}) by {}: "
                         "jobs/tune_node.sh sets 0",
                         max_receive_delay_us, where));
    if (verdicts.size() > n_before) return;
    std::vector<std::string> parts;
    const auto all = links_where(facts, [](const LinkFacts& l) { return !l.name.empty(); });
    if (all.empty()) return;
    const auto told = [&](auto is_told) { return !links_where(facts, is_told).empty(); };
    parts.push_back(told([](const LinkFacts& l) { return l.speed_mbit_per_s.has_value(); })
                        ? "gigabit or more"
                        : "speed not told");
    parts.push_back(told([](const LinkFacts& l) { return l.energy_efficient.has_value(); })
                        ? "no energy-efficient Ethernet"
                        : "energy-efficient Ethernet not told");
    verdicts.push_back(
        {Level::good, "link", fmt::format("{}: {}", joined(all, "; "), joined(parts, ", "))});
}

/// Does a list such as "eth0,lo" name this interface? Subnets name none.
bool names_interface(const std::string& list, const std::string& name) {
    return std::ranges::any_of(split(list, ','), [&](std::string_view item) {
        return item == name || item.find('/') != std::string_view::npos;
    });
}

void judge_paths(const ClusterFacts& facts, const std::vector<PairFacts>& pairs,
                 std::vector<Verdict>& verdicts) {
    std::vector<std::string> strays, unseen;
    for (const PairFacts& pair : pairs)
        for (const auto& [rank, carrier] :
             {std::pair(pair.a, pair.carrier_a), std::pair(pair.b, pair.carrier_b)}) {
            const std::string& named = facts.node(rank).named_interfaces;
            const std::string& host = facts.identity(rank).host;
            if (carrier.empty())
                unseen.push_back(host);
            else if (!named.empty() && !names_interface(named, carrier))
                strays.push_back(fmt::format("{} of {}", carrier, host));
        }
    const auto once = [](std::vector<std::string>& list) {
        std::ranges::sort(list);
        list.erase(std::unique(list.begin(), list.end()), list.end());
    };
    once(strays);
    once(unseen);
    if (!strays.empty())
        verdicts.push_back({Level::slow, "path",
                            fmt::format("messages went over {} although btl_tcp_if_include names "
                                        "{}: is it set on all nodes (jobs/lib/env.sh)?",
                                        joined(strays, ", "), facts.node(0).named_interfaces)});
    if (!unseen.empty())
        verdicts.push_back({Level::note, "path",
                            fmt::format("which interface carries the messages of {} is not told",
                                        joined(unseen, ", "))});
    if (strays.empty())
        verdicts.push_back(
            {Level::good, "path",
             fmt::format("{} of nodes reach each other", counted(pairs.size(), "pair"))});
}

/// Bytes a second that the slower of the two ends allows, headers taken off; 0: not told.
double allowed_bytes_per_s(const ClusterFacts& facts, const PairFacts& pair) {
    constexpr double payload_share = 0.941; // 1448 of 1538 bytes of a packet
    double least = 0;
    for (const auto& [rank, carrier] :
         {std::pair(pair.a, pair.carrier_a), std::pair(pair.b, pair.carrier_b)})
        for (const LinkFacts& link : facts.node(rank).links) {
            if (link.name != carrier || !link.speed_mbit_per_s) continue;
            const double rate = *link.speed_mbit_per_s * 1e6 / 8 * payload_share;
            least = least == 0 ? rate : std::min(least, rate);
        }
    return least;
}

void judge_pairs(const ClusterFacts& facts, const std::vector<PairFacts>& pairs,
                 std::vector<Verdict>& verdicts) {
    const double typical_s = middle(pairs, &PairFacts::latency_s);
    const double typical_g = middle(pairs, &PairFacts::s_per_byte);
    bool all_good = true;
    double least = 1e300, most = 0;
    for (const PairFacts& pair : pairs) {
        least = std::min(least, pair.latency_s);
        most = std::max(most, pair.latency_s);
        const bool is_late = pair.latency_s > std::max(slow_pair_ratio * typical_s, good_latency_s);
        const double allowed = allowed_bytes_per_s(facts, pair);
        const double rate = 1 / pair.s_per_byte;
        if (is_late || pair.s_per_byte > slow_pair_ratio * typical_g) {
            all_good = false;
            verdicts.push_back({Level::slow, "network",
                                fmt::format("{}: {:.0f} us and {:.0f} MB/s where the middle pair "
                                            "has {:.0f} us and {:.0f} MB/s: cable, switch, or "
                                            "another program on one of them",
                                            pair_name(facts, pair), pair.latency_s * 1e6,
                                            rate / 1e6, typical_s * 1e6, 1e-6 / typical_g)});
        } else if (allowed > 0 && rate < min_link_share * allowed) {
            all_good = false;
            verdicts.push_back({Level::slow, "network",
                                fmt::format("{}: {:.0f} MB/s where the link allows {:.0f}: switch, "
                                            "or other traffic",
                                            pair_name(facts, pair), rate / 1e6, allowed / 1e6)});
        }
    }
    if (typical_s > max_latency_s) {
        all_good = false;
        verdicts.push_back({Level::slow, "network",
                            fmt::format("{:.0f} us for a short message: jobs/tune_node.sh; a tuned "
                                        "Pi 4 has 35 to 50",
                                        typical_s * 1e6)});
    }
    if (!all_good) return;
    verdicts.push_back(
        {Level::good, "network",
         fmt::format("{} us for a short message, {:.0f} MB/s one way, {:.0f} MB/s both ways",
                     most - least < 1e-6 ? fmt::format("{:.0f}", most * 1e6)
                                         : fmt::format("{:.0f} to {:.0f}", least * 1e6, most * 1e6),
                     1e-6 / typical_g, 1e-6 / middle(pairs, &PairFacts::s_per_byte_both_ways))});
}

/// One may be a busy machine's; several are something that the messages wait for.
void judge_stalls(const ClusterFacts& facts, const std::vector<PairFacts>& pairs,
                  std::vector<Verdict>& verdicts) {
    int n_short = 0;
    double longest_s = 0;
    bool all_good = true;
    for (const PairFacts& pair : pairs) {
        n_short += pair.n_short;
        longest_s = std::max(longest_s, pair.longest_s);
        if (pair.n_stalls == 0) continue;
        all_good = false;
        verdicts.push_back(
            {pair.n_stalls == 1 ? Level::note : Level::slow, "stalls",
             fmt::format("{}: {} of {} short round trips took up to {:.0f} ms: acknowledgements "
                         "held back (40 ms; is btl_tcp_use_nagle set?) or packets sent again (200 "
                         "ms and more; look at the cable, and at `ip -s link`)",
                         pair_name(facts, pair), pair.n_stalls, pair.n_short,
                         pair.longest_s * 1e3)});
    }
    if (all_good && n_short > 0)
        verdicts.push_back({Level::good, "stalls",
                            fmt::format("none in {} short round trips, the longest took {:.1f} ms",
                                        n_short, longest_s * 1e3)});
}

} // namespace

std::vector<Verdict> judge_network(const ClusterFacts& facts) {
    std::vector<Verdict> verdicts;
    if (facts.identities.size() == 1) {
        verdicts.push_back({Level::note, "network", "one rank: nothing is sent"});
        return verdicts;
    }
    if (facts.overlap)
        verdicts.push_back(
            {Level::good, "overlap",
             fmt::format("computing meanwhile hides {:.0f} % of the time of long "
                         "messages; between computing, short ones take {:.0f} us "
                         "longer",
                         100 * facts.overlap->hidden_share, facts.overlap->delay_s * 1e6)});
    const std::vector<PairFacts> pairs = across(facts);
    if (pairs.empty()) {
        verdicts.push_back({Level::note, "network",
                            "all ranks are on one machine: their messages go through its memory"});
        return verdicts;
    }
    judge_links(facts, verdicts);
    judge_paths(facts, pairs, verdicts);
    judge_pairs(facts, pairs, verdicts);
    judge_stalls(facts, pairs, verdicts);
    return verdicts;
}

} // namespace pillar::check
