// What must agree on all ranks, and the order of all verdicts.

#include "rules.hpp"

#include "pillar/core/median.hpp"
#include "pillar/core/text.hpp"
#include "pillar/session/host_groups.hpp"

#include <algorithm>
#include <fmt/core.h>

namespace pillar::check {

namespace {

std::vector<std::string> hosts_of_all(const std::vector<IdentityFacts>& identities) {
    std::vector<std::string> hosts;
    for (const IdentityFacts& identity : identities) hosts.push_back(identity.host);
    return hosts;
}

Verdict same(std::string_view about, const std::vector<std::string>& hosts,
             const std::vector<std::string>& values, std::string_view remedy) {
    const std::vector<session::Group> groups = session::groups_of(hosts, values);
    if (groups.size() == 1)
        return {Level::good, std::string(about),
                fmt::format("{}, the same on {}", printable(values.front()),
                            counted(values.size(), "rank"))};
    return {Level::bad, std::string(about), fmt::format("{}: {}", session::listed(groups), remedy),
            ExitCode::disagree};
}

/// After copying, or when something else has filled the memory, the weights come from the card once
/// more: the first run's loading and first tokens are not those of the next.
void judge_caches(const ClusterFacts& facts, std::vector<Verdict>& verdicts) {
    for (const int rank : first_ranks(facts)) {
        const ModelFacts& model = facts.models[static_cast<std::size_t>(rank)];
        if (!model.cached_bytes) continue;
        double wanted = 0; // each rank has a part of its own
        for (const int beside : ranks_beside(facts, rank))
            wanted += facts.node(beside).weight_bytes;
        wanted = std::min(wanted, model.file_bytes);
        if (*model.cached_bytes >= min_cached_share * wanted) continue;
        verdicts.push_back(
            {Level::note, "cache",
             fmt::format("{} has {} of {} in memory, and its ranks read {}: the first start waits "
                         "for the card; measure the second one (or `cat {} >/dev/null` there)",
                         facts.identity(rank).host, human_bytes(*model.cached_bytes),
                         printable(model.name), human_bytes(wanted), printable(model.name))});
    }
}

} // namespace

std::vector<int> first_ranks(const ClusterFacts& facts, std::string IdentityFacts::*place) {
    std::vector<int> ranks;
    std::vector<std::string> seen;
    for (const IdentityFacts& identity : facts.identities) {
        if (std::ranges::find(seen, identity.*place) != seen.end()) continue;
        seen.push_back(identity.*place);
        ranks.push_back(identity.rank);
    }
    return ranks;
}

std::vector<int> ranks_beside(const ClusterFacts& facts, int rank) {
    std::vector<int> ranks;
    for (const IdentityFacts& other : facts.identities)
        if (other.machine == facts.identity(rank).machine) ranks.push_back(other.rank);
    return ranks;
}

std::string_view name_of(Level level) noexcept {
    switch (level) {
    case Level::good:
        return "ok";
    case Level::note:
        return "note";
    case Level::slow:
        return "slow";
    case Level::bad:
        return "BAD";
    }
    return "";
}

bool is_across(const ClusterFacts& facts, const PairFacts& pair) {
    return facts.identities[static_cast<std::size_t>(pair.a)].network !=
           facts.identities[static_cast<std::size_t>(pair.b)].network;
}

double middle(const std::vector<PairFacts>& pairs, double PairFacts::*what) {
    std::vector<double> values;
    for (const PairFacts& pair : pairs) values.push_back(pair.*what);
    return median(std::move(values));
}

std::string hosts_of(const ClusterFacts& facts, const std::vector<int>& ranks) {
    std::vector<std::string> names;
    for (const int rank : ranks)
        names.push_back(facts.identities[static_cast<std::size_t>(rank)].host);
    return session::join_once(std::move(names));
}

std::vector<Verdict> judge_identities(const std::vector<IdentityFacts>& identities) {
    std::vector<std::string> programs, libraries;
    for (const IdentityFacts& identity : identities) {
        programs.push_back(identity.program);
        libraries.push_back(identity.mpi);
    }
    const auto hosts = hosts_of_all(identities);
    return {same("program", hosts, programs, "jobs/deploy.sh brings the same one to all nodes"),
            same("MPI", hosts, libraries,
                 "install the same version on all nodes (jobs/lib/packages.sh run)")};
}

std::vector<Verdict> judge_models(const ClusterFacts& facts) {
    if (facts.models.empty() || !facts.models.front().is_asked) return {};
    const auto hosts = hosts_of_all(facts.identities);
    const std::string name = printable(facts.models.front().name);
    std::vector<Verdict> verdicts;
    std::vector<std::string> absent, found, hashes;
    for (std::size_t i = 0; i < facts.models.size(); ++i) {
        const ModelFacts& model = facts.models[i];
        if (model.code == static_cast<int>(ExitCode::no_input)) {
            absent.push_back(hosts[i]);
        } else if (model.code != 0) {
            verdicts.push_back({Level::bad, "model", fmt::format("{}: {}", hosts[i], model.problem),
                                static_cast<ExitCode>(model.code)});
        } else {
            found.push_back(hosts[i]);
            hashes.push_back(model.hash);
        }
    }
    if (!absent.empty())
        verdicts.insert(
            verdicts.begin(),
            {Level::bad, "model",
             fmt::format("{} {} no file {}: jobs/deploy.sh brings it there",
                         session::join_once(absent), absent.size() == 1 ? "has" : "have", name),
             ExitCode::no_input});
    const std::vector<session::Group> groups = session::groups_of(found, hashes);
    if (groups.size() > 1)
        verdicts.push_back({Level::bad, "model",
                            fmt::format("{} is not the same file everywhere: header {}: "
                                        "jobs/deploy.sh brings the same one to all nodes",
                                        name, session::listed(groups)),
                            ExitCode::disagree});
    if (verdicts.empty())
        verdicts.push_back(
            {Level::good, "model",
             fmt::format("{}, the same on {}", name, counted(hosts.size(), "rank"))});
    judge_caches(facts, verdicts);
    return verdicts;
}

std::vector<Verdict> judge(const ClusterFacts& facts) {
    std::vector<Verdict> verdicts = judge_identities(facts.identities);
    for (const auto part : {judge_models, judge_nodes, judge_processors, judge_network}) {
        std::vector<Verdict> more = part(facts);
        verdicts.insert(verdicts.end(), more.begin(), more.end());
    }
    return verdicts;
}

ExitCode exit_code_of(const std::vector<Verdict>& verdicts) noexcept {
    const auto bad = std::ranges::find(verdicts, Level::bad, &Verdict::level);
    return bad == verdicts.end() ? ExitCode::done : bad->code;
}

} // namespace pillar::check
