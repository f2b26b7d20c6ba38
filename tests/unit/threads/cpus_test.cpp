// How many CPUs there are: planted control groups, and this machine's own mask.

#include "pillar/threads/team.hpp"

#include "support/planted_tree.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <sched.h>

namespace pillar::threads {
namespace {

using support::PlantedTree;

TEST(cpu_quota, of_v2_is_the_smallest_on_the_way_up_rounded_up) {
    const PlantedTree tree;
    tree.plant("proc/self/cgroup", "0::/a/b\n");
    tree.plant("proc/self/mountinfo", "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
    EXPECT_EQ(cpu_quota(tree.root()), 0);
    tree.plant("sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
    EXPECT_EQ(cpu_quota(tree.root()), 0);
    tree.plant("sys/fs/cgroup/a/cpu.max", "150000 100000\n");
    EXPECT_EQ(cpu_quota(tree.root()), 2);
    tree.plant("sys/fs/cgroup/a/b/cpu.max", "400000 100000\n");
    EXPECT_EQ(cpu_quota(tree.root()), 2);
    tree.plant("sys/fs/cgroup/a/b/cpu.max", "20000 100000\n");
    EXPECT_EQ(cpu_quota(tree.root()), 1);
}

TEST(cpu_quota, of_v1_reads_quota_and_period) {
    const PlantedTree tree;
    tree.plant("proc/self/cgroup", "3:cpu,cpuacct:/job\n");
    tree.plant("proc/self/mountinfo",
               "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n");
    tree.plant("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
    tree.plant("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
    EXPECT_EQ(cpu_quota(tree.root()), 0);
    tree.plant("sys/fs/cgroup/cpu/job/cpu.cfs_quota_us", "300000\n");
    tree.plant("sys/fs/cgroup/cpu/job/cpu.cfs_period_us", "100000\n");
    EXPECT_EQ(cpu_quota(tree.root()), 3);
}

TEST(available_cpus, is_at_least_one_and_at_most_the_mask) {
    bool cpus[4096];
    const std::size_t n = affinity_mask(cpus, 4096);
    EXPECT_EQ(n, static_cast<std::size_t>(std::count(cpus, cpus + 4096, true)));
    EXPECT_GE(available_cpus(), 1);
    EXPECT_LE(static_cast<std::size_t>(available_cpus()), n);
}

TEST(affinity_mask, follows_a_binding) {
    cpu_set_t before;
    ASSERT_EQ(::sched_getaffinity(0, sizeof before, &before), 0);
    bool cpus[CPU_SETSIZE];
    affinity_mask(cpus, CPU_SETSIZE);
    const auto last = static_cast<std::size_t>(
        std::find(std::reverse_iterator(cpus + CPU_SETSIZE), std::reverse_iterator(cpus), true)
            .base() -
        cpus - 1);
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(last, &one);
    ASSERT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
    EXPECT_EQ(affinity_mask(cpus, CPU_SETSIZE), 1u);
    EXPECT_TRUE(cpus[last]);
    EXPECT_EQ(affinity_mask(cpus, 0), 1u);
    EXPECT_EQ(available_cpus(), 1);
    ASSERT_EQ(::sched_setaffinity(0, sizeof before, &before), 0);
}

} // namespace
} // namespace pillar::threads
