// Available memory in planted trees: the smallest limit wins and gives its name.

#include "pillar/telemetry/memory.hpp"

#include "pillar/core/aligned_buffer.hpp"
#include "support/planted_tree.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <limits>

namespace pillar::telemetry {
namespace {

using support::PlantedTree;

constexpr std::uint64_t mib = 1 << 20;

void plant_host(const PlantedTree& tree) {
    tree.plant("proc/meminfo", "MemTotal:        8000000 kB\nMemFree:         1000000 kB\n"
                               "MemAvailable:    4194304 kB\nSwapFree:        9000000 kB\n");
    tree.plant("proc/self/status", "Name:\tpillar\nVmPeak:\t 300000 kB\nVmSize:\t 204800 kB\n"
                                   "VmHWM:\t  99000 kB\nVmRSS:\t  80000 kB\n");
    tree.plant("proc/self/limits", "Limit                     Soft Limit   Hard Limit   Units\n"
                                   "Max address space         unlimited    unlimited    bytes\n");
}

TEST(available_memory, without_limits_is_what_the_host_has) {
    const PlantedTree tree;
    plant_host(tree);
    const AvailableMemory available = read_available_memory(tree.root());
    EXPECT_EQ(available.bytes, 4096 * mib);
    EXPECT_EQ(available.limited_by, "free memory of the host");
}

TEST(available_memory, obeys_the_address_space_limit_less_what_is_mapped) {
    const PlantedTree tree;
    plant_host(tree);
    tree.plant("proc/self/limits", "Max cpu time    unlimited unlimited seconds\n"
                                   "Max address space         1073741824   unlimited    bytes\n");
    const AvailableMemory available = read_available_memory(tree.root());
    EXPECT_EQ(available.bytes, (1024 - 200) * mib);
    EXPECT_EQ(available.limited_by, "address-space limit (ulimit -v)");
    tree.plant("proc/self/limits", "Max address space         1024   unlimited    bytes\n");
    EXPECT_EQ(read_available_memory(tree.root()).bytes, 0u);
}

TEST(available_memory, obeys_every_ancestor_of_a_v2_group) {
    const PlantedTree tree;
    plant_host(tree);
    tree.plant("proc/self/cgroup", "0::/user/job/step\n");
    tree.plant("proc/self/mountinfo", "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
    tree.plant("sys/fs/cgroup/user/job/step/memory.max", "max\n");
    tree.plant("sys/fs/cgroup/user/job/step/memory.high", "max\n");
    tree.plant("sys/fs/cgroup/user/job/memory.max", "2147483648\n"); // 2048 MiB
    tree.plant("sys/fs/cgroup/user/job/memory.current", "1073741824\n");
    tree.plant("sys/fs/cgroup/user/job/memory.stat",
               "anon 5\nfile 7\ninactive_file 536870912\nactive_file 3\n");
    tree.plant("sys/fs/cgroup/user/memory.max", "4294967296\n");
    tree.plant("sys/fs/cgroup/user/memory.current", "1073741824\n");
    AvailableMemory available = read_available_memory(tree.root());
    EXPECT_EQ(available.bytes, (2048 - 1024 + 512) * mib);
    EXPECT_EQ(available.limited_by, "control group /sys/fs/cgroup/user/job");

    tree.plant("sys/fs/cgroup/user/memory.high", "1174405120\n"); // 1120 MiB
    available = read_available_memory(tree.root());
    EXPECT_EQ(available.bytes, (1120 - 1024) * mib);
    EXPECT_EQ(available.limited_by, "control group /sys/fs/cgroup/user");
}

TEST(available_memory, obeys_v1_groups_by_their_own_names) {
    const PlantedTree tree;
    plant_host(tree);
    tree.plant("proc/self/cgroup", "4:memory:/slurm/uid_1/job_7\n0::/\n");
    tree.plant("proc/self/mountinfo",
               "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n");
    const std::string job = "sys/fs/cgroup/memory/slurm/uid_1/job_7/";
    tree.plant(job + "memory.limit_in_bytes", "536870912\n");
    tree.plant(job + "memory.usage_in_bytes", "314572800\n"); // 300 MiB
    tree.plant(job + "memory.stat",
               "inactive_file 1\ntotal_inactive_file 104857600\ntotal_rss 8\n");
    tree.plant("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    tree.plant("sys/fs/cgroup/memory/memory.usage_in_bytes", "5000000000\n");
    const AvailableMemory available = read_available_memory(tree.root());
    EXPECT_EQ(available.bytes, (512 - 300 + 100) * mib);
    EXPECT_EQ(available.limited_by, "control group /sys/fs/cgroup/memory/slurm/uid_1/job_7");
}

/// Which processes draw on it together: all, those of a group, this one alone.
TEST(memory_limits, tell_who_shares_them) {
    const PlantedTree tree;
    plant_host(tree);
    tree.plant("proc/self/limits", "Max address space         1073741824   unlimited    bytes\n");
    tree.plant("proc/self/mountinfo", "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
    tree.plant("sys/fs/cgroup/job/one/memory.max", "1000000\n");
    tree.plant("sys/fs/cgroup/job/two/memory.max", "2000000\n");
    tree.plant("sys/fs/cgroup/job/memory.max", "3000000\n");
    const auto limits_in = [&](const std::string& group) {
        tree.plant("proc/self/cgroup", "0::/job/" + group + "\n");
        return read_memory_limits(tree.root());
    };
    const std::vector<MemoryLimit> one = limits_in("one");
    const std::vector<MemoryLimit> two = limits_in("two");
    ASSERT_EQ(one.size(), 4u);
    ASSERT_EQ(two.size(), 4u);
    EXPECT_EQ(one[0].bytes, 4096 * mib);
    EXPECT_EQ(one[0].shared_under, two[0].shared_under);
    EXPECT_NE(one[0].shared_under, "");
    EXPECT_EQ(one[1].bytes, (1024 - 200) * mib);
    EXPECT_EQ(one[1].shared_under, ""); // an address space is nobody else's
    EXPECT_EQ(one[2].bytes, 1000000u);
    EXPECT_EQ(two[2].bytes, 2000000u);
    EXPECT_NE(one[2].shared_under, two[2].shared_under);
    EXPECT_EQ(one[3].bytes, 3000000u);
    EXPECT_EQ(one[3].shared_under, two[3].shared_under);
    EXPECT_NE(one[3].shared_under, one[2].shared_under);
}

TEST(available_memory, of_a_full_group_is_zero_and_never_wraps) {
    const PlantedTree tree;
    plant_host(tree);
    tree.plant("proc/self/cgroup", "0::/job\n");
    tree.plant("proc/self/mountinfo", "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
    tree.plant("sys/fs/cgroup/job/memory.max", "1000\n");
    tree.plant("sys/fs/cgroup/job/memory.current", "5000\n");
    EXPECT_EQ(read_available_memory(tree.root()).bytes, 0u);
    tree.plant("sys/fs/cgroup/job/memory.stat", "inactive_file 99999\n"); // raced: more than usage
    EXPECT_EQ(read_available_memory(tree.root()).bytes, 1000u);
}

TEST(available_memory, of_an_unreadable_machine_is_unlimited_and_says_so) {
    const PlantedTree tree;
    const AvailableMemory available = read_available_memory(tree.root());
    EXPECT_EQ(available.bytes, std::numeric_limits<std::uint64_t>::max());
    EXPECT_EQ(available.limited_by, "nothing known");
}

TEST(process_memory, is_read_from_the_status_file) {
    const PlantedTree tree;
    plant_host(tree);
    const ProcessMemory memory = read_process_memory(tree.root());
    EXPECT_EQ(memory.resident_bytes, 80000u * 1024);
    EXPECT_EQ(memory.peak_resident_bytes, 99000u * 1024);
    EXPECT_EQ(memory.virtual_bytes, 204800u * 1024);
}

TEST(process_memory, of_this_process_grows_with_what_it_touches) {
    const std::uint64_t before = read_process_memory().resident_bytes;
    ASSERT_GT(before, 0u);
    AlignedBuffer<std::uint8_t> buffer(32 * mib);
    std::ranges::fill(buffer.span(), std::uint8_t{1});
    EXPECT_GE(read_process_memory().resident_bytes, before + 30 * mib);
    EXPECT_GT(read_available_memory().bytes, 0u);
}

} // namespace
} // namespace pillar::telemetry
