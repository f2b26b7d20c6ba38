// How many CPUs there are for us: the affinity mask (mpirun's or taskset's binding) and the quotas
// of containers.

#include "pillar/core/control_groups.hpp"
#include "pillar/threads/team.hpp"

#include <algorithm>
#include <omp.h>
#include <sched.h>
#include <sstream>

namespace pillar::threads {

namespace {

constexpr std::size_t max_cpus = 16384;

/// ⌈quota/period⌉ of one folder, 0 when it sets none.
int quota_of(const std::filesystem::path& folder, bool is_v2) {
    long long quota = 0;
    long long period = 0;
    if (is_v2) { // "max 100000" or "150000 100000"
        std::istringstream line(read_line(folder / "cpu.max").value_or(""));
        if (!(line >> quota >> period)) return 0;
    } else {
        quota = read_number(folder / "cpu.cfs_quota_us").value_or(0);
        period = read_number(folder / "cpu.cfs_period_us").value_or(0);
    }
    if (quota <= 0 || period <= 0) return 0;
    const long long n = quota / period + (quota % period != 0 ? 1 : 0);
    return static_cast<int>(std::min(n, static_cast<long long>(max_cpus)));
}

} // namespace

int cpu_quota(const std::filesystem::path& root) {
    int smallest = 0;
    for (const ControlGroup& group : control_groups("cpu", root)) {
        for (const auto& folder : group.folders) {
            const int quota = quota_of(folder, group.is_v2);
            if (quota != 0) smallest = smallest == 0 ? quota : std::min(smallest, quota);
        }
    }
    return smallest;
}

int available_cpus() {
    // OpenMP's own count: with OMP_PROC_BIND the main thread is already bound to one place.
    const int n_in_mask = std::max(omp_get_num_procs(), 1);
    const int quota = cpu_quota();
    return quota == 0 ? n_in_mask : std::min(n_in_mask, quota);
}

std::size_t affinity_mask(bool* cpus, std::size_t capacity) noexcept {
    std::fill_n(cpus, capacity, false);
    static thread_local cpu_set_t sets[max_cpus / CPU_SETSIZE];
    if (::sched_getaffinity(0, sizeof sets, sets) != 0) return 0;
    std::size_t n = 0;
    for (std::size_t i = 0; i < max_cpus; ++i) {
        if (!CPU_ISSET_S(i, sizeof sets, sets)) continue;
        if (i < capacity) cpus[i] = true;
        ++n;
    }
    return n;
}

} // namespace pillar::threads
