#pragma once
// How the launcher has placed the ranks on CPUs: the number of threads that follows from it, and
// whether CPUs are left unused or shared. Open MPI gives one core to each of 1–2 ranks by default,
// srun one CPU to each task: four threads would then share it.

#include "pillar/comm/communicator.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pillar::comm {

/// What one rank may compute on.
struct RankCpus {
    std::string host;      ///< as messages call it
    std::string machine;   ///< equal for ranks under one kernel and for no others
    std::vector<int> cpus; ///< affinity mask: CPU numbers, ascending
    int n_usable = 1;      ///< min(mask, cgroup quota)
    int n_available = 1;   ///< what a launcher could give the ranks of this machine together
};

/// Of this process.
RankCpus own_cpus();

/// Collective. Of all ranks, in rank order.
std::vector<RankCpus> all_cpus(Communicator& comm);

/// Do the ranks on the machine of `rank` outnumber the CPUs that they may use there?
bool is_oversubscribed(std::span<const RankCpus> ranks, int rank);

struct Binding {
    int n_threads_default =
        1;               ///< of this rank: its usable CPUs divided by the ranks that share them
    std::string warning; ///< the same on all ranks; empty: nothing to say
};

/// The rule itself. `requested_threads` ≤ 0: the default is taken. `launcher` as in
/// LaunchVariables.
Binding judge_binding(std::span<const RankCpus> ranks, int rank, int requested_threads,
                      std::string_view launcher);

/// Collective. For this job; `requested_threads` (-t) is the same on all ranks.
Binding examine_binding(Communicator& comm, int requested_threads, std::string_view launcher);

} // namespace pillar::comm
