// The CPUs of the process: the mask it was started with.

#include "pillar/threads/team.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <omp.h>
#include <sched.h>

namespace pillar::threads {
namespace {

TEST(process_cpus, are_at_least_those_of_this_thread_and_ascending) {
    bool mask[CPU_SETSIZE];
    affinity_mask(mask, CPU_SETSIZE);
    const std::vector<int> cpus = process_cpus();
    EXPECT_TRUE(std::ranges::is_sorted(cpus));
    EXPECT_GE(cpus.size(), static_cast<std::size_t>(available_cpus()));
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
        EXPECT_TRUE(!mask[cpu] || std::ranges::binary_search(cpus, cpu)) << cpu;
    }
}

TEST(process_cpus, follow_a_binding_unless_openmp_has_places) {
    if (omp_get_num_places() > 0)
        GTEST_SKIP() << "OMP_PROC_BIND or OMP_PLACES is set: runs without them";
    cpu_set_t before;
    ASSERT_EQ(::sched_getaffinity(0, sizeof before, &before), 0);
    const int last = process_cpus().back();
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<std::size_t>(last), &one);
    ASSERT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
    EXPECT_EQ(process_cpus(), std::vector<int>{last});
    ASSERT_EQ(::sched_setaffinity(0, sizeof before, &before), 0);
}

} // namespace
} // namespace pillar::threads
