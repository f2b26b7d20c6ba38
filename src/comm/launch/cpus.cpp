// What this process may compute on, and how that travels to the other ranks.

#include "machine.hpp"

#include "pillar/comm/binding.hpp"
#include "pillar/core/errors.hpp"
#include "pillar/core/text.hpp"
#include "pillar/threads/team.hpp"

#include <algorithm>
#include <cstdlib>
#include <fmt/core.h>
#include <optional>
#include <sched.h>
#include <sstream>
#include <unistd.h>

namespace pillar::comm {

namespace {

/// While it lives the calling thread has the widest affinity mask that its cpuset allows: what a
/// launcher could give.
class WidestMask {
  public:
    WidestMask() noexcept {
        if (::sched_getaffinity(0, sizeof before_, &before_) != 0) return;
        cpu_set_t all;
        CPU_ZERO(&all);
        for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) CPU_SET(cpu, &all);
        is_set_ = ::sched_setaffinity(0, sizeof all, &all) == 0;
    }
    ~WidestMask() {
        if (is_set_) ::sched_setaffinity(0, sizeof before_, &before_);
    }
    WidestMask(const WidestMask&) = delete;
    WidestMask& operator=(const WidestMask&) = delete;

  private:
    cpu_set_t before_{};
    bool is_set_ = false;
};

/// CPUs that Slurm has given the job on each node, from "4(x2),2"; the least of them.
std::optional<int> slurm_cpus_per_node() {
    const char* text = std::getenv("SLURM_JOB_CPUS_PER_NODE");
    if (text == nullptr) return std::nullopt;
    std::istringstream list(text);
    std::optional<int> least;
    for (std::string entry; std::getline(list, entry, ',');) {
        const int n = std::atoi(entry.c_str());
        if (n > 0) least = least ? std::min(*least, n) : n;
    }
    return least;
}

int cpus_a_launcher_could_give() {
    const long n_online = std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN));
    // A step's cpuset is what srun was asked for, not what the job has: there Slurm's figure
    // counts.
    if (const auto n = slurm_cpus_per_node()) return std::min(*n, static_cast<int>(n_online));
    const WidestMask widest;
    const auto n_in_mask = static_cast<int>(threads::affinity_mask(nullptr, 0));
    const int quota = threads::cpu_quota();
    return quota == 0 ? n_in_mask : std::min(n_in_mask, quota);
}

/// "host\nmachine\nn_usable n_available cpu cpu …": text, since ranks of different builds exchange
/// it before they know that they are.
std::string to_text(const RankCpus& cpus) {
    return fmt::format("{}\n{}\n{} {} {}", cpus.host, cpus.machine, cpus.n_usable, cpus.n_available,
                       joined(cpus.cpus, " "));
}

RankCpus from_text(const std::string& text) {
    RankCpus cpus;
    std::istringstream stream(text);
    std::getline(stream, cpus.host);
    std::getline(stream, cpus.machine);
    stream >> cpus.n_usable >> cpus.n_available;
    for (int cpu = 0; stream >> cpu;) cpus.cpus.push_back(cpu);
    return cpus;
}

} // namespace

RankCpus own_cpus() {
    RankCpus own;
    own.host = host_name();
    own.machine = machine_id();
    own.cpus = threads::process_cpus();
    own.n_usable = threads::available_cpus();
    own.n_available = std::max(own.n_usable, cpus_a_launcher_could_give());
    return own;
}

std::vector<RankCpus> all_cpus(Communicator& comm) {
    std::vector<RankCpus> ranks;
    for (const std::string& text : comm.all_gather(to_text(own_cpus()))) {
        ranks.push_back(from_text(text));
    }
    return ranks;
}

} // namespace pillar::comm
