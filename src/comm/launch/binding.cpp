// The rule: CPUs of a machine, the ranks on it, and the threads they would start.

#include "pillar/comm/binding.hpp"

#include "pillar/core/text.hpp"

#include <algorithm>
#include <fmt/core.h>
#include <iterator>
#include <set>

namespace pillar::comm {

namespace {

bool overlap(const RankCpus& a, const RankCpus& b) {
    if (a.machine != b.machine) return false;
    std::vector<int> common;
    std::ranges::set_intersection(a.cpus, b.cpus, std::back_inserter(common));
    return !common.empty();
}

/// Ranks and CPUs that belong together: those of one machine, or those that share CPUs with one
/// rank.
struct Group {
    std::vector<int> ranks;
    std::set<int> cpus;
    int n_threads = 0;
};

int default_threads(std::span<const RankCpus> ranks, const RankCpus& own) {
    const auto n_sharing =
        std::ranges::count_if(ranks, [&](const RankCpus& other) { return overlap(own, other); });
    return std::max(1, own.n_usable / std::max(1, static_cast<int>(n_sharing)));
}

template <class Belongs>
Group group_where(std::span<const RankCpus> ranks, int requested_threads, Belongs belongs) {
    Group group;
    for (std::size_t r = 0; r < ranks.size(); ++r) {
        if (!belongs(ranks[r])) continue;
        group.ranks.push_back(static_cast<int>(r));
        group.cpus.insert(ranks[r].cpus.begin(), ranks[r].cpus.end());
        group.n_threads +=
            requested_threads > 0 ? requested_threads : default_threads(ranks, ranks[r]);
    }
    return group;
}

std::string wider_binding(std::string_view launcher, int n_cpus) {
    if (launcher == "srun") {
        return fmt::format("give srun --cpus-per-task={} (it does not take it over from sbatch)",
                           n_cpus);
    }
    if (launcher.empty()) return "start it without taskset, or set -t";
    return "add --bind-to none to mpirun's flags";
}

/// "pi4"; of a machine that plays several hosts "node1, node2 (one machine)".
std::string names_of(std::span<const RankCpus> ranks, const Group& machine) {
    std::vector<std::string_view> names;
    for (const int rank : machine.ranks) {
        const std::string_view host = ranks[static_cast<std::size_t>(rank)].host;
        if (std::ranges::find(names, host) == names.end()) names.push_back(host);
    }
    return fmt::format("{}{}", joined(names, ", "), names.size() > 1 ? " (one machine)" : "");
}

/// What is wrong on the machine of the rank with these CPUs; empty: nothing.
std::string complaint(std::span<const RankCpus> ranks, const RankCpus& own, int requested_threads,
                      std::string_view launcher) {
    const Group machine = group_where(ranks, requested_threads, [&](const RankCpus& other) {
        return other.machine == own.machine;
    });
    const Group sharing = group_where(ranks, requested_threads,
                                      [&](const RankCpus& other) { return overlap(own, other); });
    const int n_ranks = static_cast<int>(machine.ranks.size());
    const int n_bound = static_cast<int>(machine.cpus.size());
    const int n_shared = std::min(static_cast<int>(sharing.cpus.size()), own.n_available);
    const int n_each = std::max(1, own.n_available / n_ranks);
    const std::string wider = wider_binding(launcher, n_each);
    const std::string host = names_of(ranks, machine);

    if (sharing.n_threads > n_shared) {
        const std::string what =
            fmt::format("{} of {} share {} on {}",
                        counted(static_cast<std::size_t>(sharing.n_threads), "thread"),
                        counted(sharing.ranks.size(), "rank"),
                        counted(static_cast<std::size_t>(n_shared), "CPU"), host);
        if (machine.n_threads <= own.n_available) {
            return fmt::format("{} although it has {}: {}", what, own.n_available, wider);
        }
        if (n_ranks > own.n_available) {
            return fmt::format("{}: start at most {} there", what,
                               counted(static_cast<std::size_t>(own.n_available), "rank"));
        }
        const bool is_narrow = n_bound < own.n_available;
        return fmt::format("{}: use -t {}{}{}", what, n_each, is_narrow ? " and " : "",
                           is_narrow ? wider : "");
    }
    if (requested_threads <= 0 && n_bound < own.n_available) {
        return fmt::format("{} on {} may use only {} of {} CPUs: {}",
                           counted(static_cast<std::size_t>(n_ranks), "rank"), host, n_bound,
                           own.n_available, wider);
    }
    return {};
}

} // namespace

bool is_oversubscribed(std::span<const RankCpus> ranks, int rank) {
    const RankCpus& own = ranks[static_cast<std::size_t>(rank)];
    const Group machine =
        group_where(ranks, 1, [&](const RankCpus& other) { return other.machine == own.machine; });
    const auto n_cpus = std::min(machine.cpus.size(), static_cast<std::size_t>(own.n_available));
    return machine.ranks.size() > n_cpus;
}

Binding judge_binding(std::span<const RankCpus> ranks, int rank, int requested_threads,
                      std::string_view launcher) {
    Binding binding;
    binding.n_threads_default = default_threads(ranks, ranks[static_cast<std::size_t>(rank)]);
    std::set<std::string> seen;
    int n_others = 0;
    for (const RankCpus& cpus : ranks) {
        if (seen.contains(cpus.machine)) continue;
        const std::string text = complaint(ranks, cpus, requested_threads, launcher);
        if (text.empty()) continue;
        seen.insert(cpus.machine);
        if (binding.warning.empty()) {
            binding.warning = text;
        } else {
            ++n_others;
        }
    }
    if (n_others > 0) {
        binding.warning += fmt::format(" (and so on {})",
                                       counted(static_cast<std::size_t>(n_others), "other host"));
    }
    return binding;
}

Binding examine_binding(Communicator& comm, int requested_threads, std::string_view launcher) {
    return judge_binding(all_cpus(comm), comm.rank(), requested_threads, launcher);
}

} // namespace pillar::comm
