// What others do on a machine, planted and real.

#include "pillar/telemetry/other_work.hpp"

#include "support/planted_tree.hpp"

#include <chrono>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <sys/wait.h>
#include <unistd.h>

namespace pillar::telemetry {
namespace {

constexpr double nothing = std::numeric_limits<double>::quiet_NaN();

TEST(OtherWork, IsWhatAllUsedLessWhatTheRanksOfTheMachineUsed) {
    const std::vector<CpuUse> ranks{{1, 10, 35, 10, 4},
                                    {1, 10, 35, 12, 4},
                                    {2, 10, 11, 11.5, 4}, // ticks are coarse
                                    {3, 10, nothing, 5, 4},
                                    {4, 0.01, 1, 0, 4}};
    const std::vector<double> others = other_cpus(ranks);
    ASSERT_EQ(others.size(), 5);
    EXPECT_DOUBLE_EQ(others[0], 1.3);
    EXPECT_DOUBLE_EQ(others[1], 1.3);
    EXPECT_DOUBLE_EQ(others[2], 0);
    EXPECT_TRUE(std::isnan(others[3]));
    EXPECT_TRUE(std::isnan(others[4]));
}

TEST(OtherWork, DisturbsWhereItIsMoreThanAMachineDoesByItself) {
    EXPECT_TRUE(disturbs(0.3, 4));
    EXPECT_FALSE(disturbs(0.1, 4));
    EXPECT_FALSE(disturbs(2, 64));
    EXPECT_TRUE(disturbs(4, 64));
    EXPECT_FALSE(disturbs(nothing, 4));
}

TEST(CpuMeter, CountsUserNiceSystemAndStealOfAllCpus) {
    const support::PlantedTree tree;
    tree.plant("proc/stat", "cpu  100 10 20 5000 9 8 7 50 3 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n");
    const CpuMeter meter("m", tree.root());
    tree.plant("proc/stat", "cpu  300 20 40 9000 99 98 97 90 30 0\n");
    const double ticks_a_second = static_cast<double>(::sysconf(_SC_CLK_TCK));
    EXPECT_DOUBLE_EQ(meter.use().busy_s, (200 + 10 + 20 + 40) / ticks_a_second);
}

TEST(CpuMeter, OfAMachineThatDoesNotTellHasNothing) {
    const support::PlantedTree tree;
    EXPECT_TRUE(std::isnan(CpuMeter("m", tree.root()).use().busy_s));
    tree.plant("proc/stat", "cpu  100 10\n");
    EXPECT_TRUE(std::isnan(CpuMeter("m", tree.root()).use().busy_s));
}

/// A second of this machine, beside a program that computes; this process does so too.
TEST(CpuMeter, SeesAnotherProgramAndNotItself) {
    const auto busy_until = [](auto end) {
        while (std::chrono::steady_clock::now() < end) {
        }
    };
    const CpuMeter meter("m");
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(1);
    const pid_t child = ::fork();
    if (child == 0) {
        busy_until(end);
        ::_exit(0);
    }
    busy_until(end);
    const CpuUse use = meter.use();
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    if (std::isnan(use.busy_s)) GTEST_SKIP() << "this machine has no /proc/stat to read";
    EXPECT_GT(use.own_s, 0.1);
    EXPECT_GE(use.seconds, 1);
    // The other one's share of an oversubscribed machine is unknown, but it has one.
    EXPECT_GT(other_cpus({{use}})[0], 0.05);
}

} // namespace
} // namespace pillar::telemetry
