// Instructions, unequal cores, others at work and cached files, planted and real.

#include "pillar/telemetry/page_cache.hpp"
#include "pillar/telemetry/processes.hpp"
#include "pillar/telemetry/processor.hpp"

#include "support/planted_tree.hpp"

#include <algorithm>
#include <fcntl.h>
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace pillar::telemetry {
namespace {

TEST(Processor, KnowsTheInstructionsThatAllCpusHave) {
    const support::PlantedTree tree;
    EXPECT_TRUE(product_instructions(tree.root()).empty());
    tree.plant("proc/cpuinfo", "processor\t: 0\nFeatures\t: fp asimd evtstrm asimddp\n\n"
                               "processor\t: 1\nFeatures\t: fp asimd evtstrm\n");
    EXPECT_EQ(product_instructions(tree.root()), (std::vector<std::string>{"asimd"}));
    tree.plant("proc/cpuinfo", "model name\t: x\nflags\t\t: fpu avx2 avx_vnni_int8 avx_vnni\n");
    EXPECT_EQ(product_instructions(tree.root()), (std::vector<std::string>{"avx_vnni", "avx2"}));
}

TEST(Processor, TellsSpeedsOnlyWhereAllCpusDo) {
    const support::PlantedTree tree;
    const auto cpu = [](int n) { return "sys/devices/system/cpu/cpu" + std::to_string(n); };
    EXPECT_TRUE(cpu_speeds(tree.root()).empty());
    for (const int n : {0, 1, 10}) tree.plant(cpu(n) + "/cpufreq/cpuinfo_max_freq", "2400000\n");
    tree.plant(cpu(0) + "/cpu_capacity", "414\n");
    auto speeds = cpu_speeds(tree.root());
    ASSERT_EQ(speeds.size(), 3U);
    EXPECT_EQ(speeds[0].speed, 2.4e6) << "one CPU alone has a capacity";
    EXPECT_EQ(speeds[2].cpu, 10);
    for (const int n : {1, 10}) tree.plant(cpu(n) + "/cpu_capacity", "1024\n");
    speeds = cpu_speeds(tree.root());
    EXPECT_EQ(speeds[0].speed, 414);
    EXPECT_EQ(speeds[2].speed, 1024);
    tree.plant(cpu(10) + "/online", "0\n");
    EXPECT_EQ(cpu_speeds(tree.root()).size(), 2U);
}

TEST(Processor, WritesListsAsTasksetTakesThem) {
    EXPECT_EQ(cpu_list({}), "");
    EXPECT_EQ(cpu_list({4, 5, 6, 7}), "4-7");
    EXPECT_EQ(cpu_list({0, 2, 3, 9}), "0,2-3,9");
}

/// A line of /proc/PID/task/TID/stat: 52 fields, of which three count.
std::string stat(int number, const std::string& name, int user, int system, int cpu) {
    std::string line = fmt::format("{} ({}) R", number, name);
    for (int field = 4; field <= 52; ++field) {
        const int value = field == 14 ? user : field == 15 ? system : field == 39 ? cpu : 7;
        line += fmt::format(" {}", value);
    }
    return line + "\n";
}

TEST(Processes, AreSummedOverTheirThreadsByCpu) {
    const support::PlantedTree tree;
    const auto tick = static_cast<double>(::sysconf(_SC_CLK_TCK));
    const auto plant = [&](int process, int thread, const std::string& line) {
        const std::string folder = "proc/" + std::to_string(process);
        if (process == thread) tree.plant(folder + "/stat", line);
        tree.plant(folder + "/task/" + std::to_string(thread) + "/stat", line);
    };
    tree.plant("proc/cpuinfo", "");
    plant(812, 812, stat(812, "a (b) c", 100, 10, 2));
    plant(812, 813, stat(813, "helper", 50, 0, 2));
    plant(812, 814, stat(814, "helper", 50, 0, 3));
    plant(900, 900, stat(900, "idle", 5, 5, 0));
    const TaskTimes before = read_task_times(tree.root());
    ASSERT_EQ(before.size(), 4U);
    EXPECT_EQ(before.at(814).name, "a (b) c") << "the process's";
    EXPECT_DOUBLE_EQ(before.at(812).busy_s, 110 / tick);
    plant(812, 812, stat(812, "a (b) c", 150, 30, 2));
    plant(812, 813, stat(813, "helper", 60, 0, 2));
    plant(812, 814, stat(814, "helper", 90, 0, 3));
    plant(901, 901, stat(901, "new", 20, 0, 1));
    const auto busy = busy_processes(before, read_task_times(tree.root()), 200 / tick, 0.05);
    ASSERT_EQ(busy.size(), 2U);
    EXPECT_EQ(busy[0].process, 812);
    EXPECT_DOUBLE_EQ(busy[0].cpus, 0.6);
    ASSERT_EQ(busy[0].parts.size(), 2U);
    EXPECT_EQ(busy[0].parts[0].cpu, 2);
    EXPECT_DOUBLE_EQ(busy[0].parts[0].share, 0.4);
    EXPECT_DOUBLE_EQ(busy[0].parts[1].share, 0.2);
    EXPECT_EQ(busy[1].name, "new");
}

TEST(Processes, FindThisOneOnThisMachine) {
    const TaskTimes before = read_task_times();
    ASSERT_FALSE(before.empty());
    volatile double sum = 0;
    const auto own = [&](const TaskTimes& times) { return times.at(::gettid()).busy_s; };
    while (own(read_task_times()) < own(before) + 0.05)
        for (int i = 0; i < 1000000; ++i) sum = sum + 1;
    const auto busy = busy_processes(before, read_task_times(), 0.05, 0.5);
    EXPECT_TRUE(
        std::ranges::any_of(busy, [](const ProcessUse& use) { return use.process == ::getpid(); }));
}

TEST(PageCache, HasAFileThatWasJustWrittenAndNotOneThatWasDropped) {
    const support::PlantedTree tree;
    EXPECT_FALSE(read_cached((tree.root() / "none").string()));
    const std::size_t n = (std::size_t{8} << 20) + 123;
    tree.plant("weights", std::string(n, 'x'));
    const std::string path = (tree.root() / "weights").string();
    const auto cached = read_cached(path);
    ASSERT_TRUE(cached);
    EXPECT_EQ(cached->n_bytes, n);
    EXPECT_EQ(cached->cached_bytes, n);
    const int file = ::open(path.c_str(), O_RDONLY);
    ASSERT_GE(file, 0);
    ::fsync(file);
    ::posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
    ::close(file);
    const auto dropped = read_cached(path);
    ASSERT_TRUE(dropped);
    if (dropped->cached_bytes == n) GTEST_SKIP() << "this file system lives in memory";
    EXPECT_LT(dropped->cached_bytes, n / 2);
}

} // namespace
} // namespace pillar::telemetry
