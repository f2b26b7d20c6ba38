// Which CPUs are ours: OpenMP's places where it uses them, else the affinity mask.

#include "pillar/threads/team.hpp"

#include <algorithm>
#include <memory>
#include <omp.h>

namespace pillar::threads {

namespace {

constexpr std::size_t max_cpus = 16384;

std::vector<int> cpus_of_places() {
    std::vector<int> cpus;
    for (int place = 0; place < omp_get_num_places(); ++place) {
        std::vector<int> ids(static_cast<std::size_t>(omp_get_place_num_procs(place)));
        omp_get_place_proc_ids(place, ids.data());
        cpus.insert(cpus.end(), ids.begin(), ids.end());
    }
    std::ranges::sort(cpus);
    const auto [first, last] = std::ranges::unique(cpus);
    cpus.erase(first, last);
    return cpus;
}

} // namespace

std::vector<int> process_cpus() {
    std::vector<int> cpus = cpus_of_places();
    if (!cpus.empty()) return cpus;
    const auto mask = std::make_unique<bool[]>(max_cpus);
    affinity_mask(mask.get(), max_cpus);
    for (std::size_t cpu = 0; cpu < max_cpus; ++cpu) {
        if (mask[cpu]) cpus.push_back(static_cast<int>(cpu));
    }
    return cpus;
}

} // namespace pillar::threads
