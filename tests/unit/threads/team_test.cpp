// Teams and barriers: who does what, who sees what, what happens on too few cores.

#include "pillar/core/timing.hpp"
#include "pillar/threads/team.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <gtest/gtest.h>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <vector>

namespace pillar::threads {
namespace {

/// Threads of this process, by the kernel's count.
int n_kernel_threads() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("Threads:")) return std::stoi(line.substr(8));
    return -1;
}

TEST(worker, shares_cover_everything_once_in_order) {
    Barrier barrier(1, false);
    for (int count = 1; count <= 17; ++count) {
        for (const std::size_t n : {0u, 1u, 2u, 7u, 16u, 17u, 1000u, 152064u}) {
            std::size_t next = 0;
            for (int i = 0; i < count; ++i) {
                const Range range = Worker(i, count, barrier).share(n);
                EXPECT_EQ(range.begin, next);
                EXPECT_LE(range.size(), n / static_cast<std::size_t>(count) + 1);
                next = range.end;
            }
            EXPECT_EQ(next, n);
        }
    }
}

TEST(team, runs_the_body_once_on_every_thread_with_the_caller_as_main) {
    for (const int n : {1, 2, 3, 8}) {
        Team team(n);
        ASSERT_EQ(team.size(), n);
        std::vector<int> n_calls(static_cast<std::size_t>(n));
        std::thread::id main;
        team.run([&](Worker worker) {
            ASSERT_EQ(worker.count(), n);
            ++n_calls[static_cast<std::size_t>(worker.index())];
            if (worker.is_main()) main = std::this_thread::get_id();
        });
        EXPECT_EQ(n_calls, std::vector<int>(static_cast<std::size_t>(n), 1));
        EXPECT_EQ(main, std::this_thread::get_id());
    }
}

TEST(team, hands_memory_in_and_out_without_further_locks) {
    Team team(4);
    std::vector<long> values(1000);
    long total = 0;
    for (int round = 0; round < 200; ++round) {
        std::iota(values.begin(), values.end(), round);
        team.run([&](Worker worker) {
            const Range mine = worker.share(values.size());
            for (std::size_t i = mine.begin; i < mine.end; ++i) values[i] *= 2;
            worker.barrier();
            if (worker.is_main()) total = std::accumulate(values.begin(), values.end(), 0L);
        });
        ASSERT_EQ(total, 2 * (999L * 1000 / 2 + 1000L * round));
    }
}

TEST(barrier, separates_rounds_under_stress) {
    const int n = std::clamp(available_cpus(), 2, 4); // beyond the cores every round is a switch
    Team team(n);
    const auto n_threads = static_cast<std::size_t>(n);
    std::vector<std::size_t> counters(n_threads * 16); // a cache line apart
    const std::size_t before = team.barrier().n_barriers();
    bool in_step = true;
    for (int repeat = 0; repeat < 100; ++repeat) {
        team.run([&](Worker worker) {
            const auto me = static_cast<std::size_t>(worker.index());
            for (std::size_t round = 0; round < 1000; ++round) {
                ++counters[16 * me];
                worker.barrier();
                const std::size_t other = counters[16 * ((me + 1) % n_threads)];
                if (other != counters[16 * me]) in_step = false;
                worker.barrier();
            }
        });
    }
    EXPECT_TRUE(in_step);
    EXPECT_EQ(counters[0], 100000u);
    EXPECT_EQ(team.barrier().n_barriers() - before, 200000u);
}

/// Held against the threads' own clocks: on a busy machine everybody may be late.
TEST(barrier, tells_how_long_each_thread_has_waited_for_others) {
    Team team(2);
    const auto pause = [](int milliseconds) {
        const Stopwatch watch;
        std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
        return watch.elapsed_s();
    };
    double came_s[2][2] = {}; // (barrier, thread)
    double paused_s[2] = {}, serial_s = 0;
    const Stopwatch all;
    team.run([&](Worker worker) {
        const int me = worker.index();
        if (!worker.is_main()) paused_s[me] = pause(40); // the main thread waits for it
        came_s[0][me] = monotonic_s();
        worker.barrier();
        if (worker.is_main()) paused_s[me] = pause(60); // and the other way round
        came_s[1][me] = monotonic_s();
        worker.serial([&] { serial_s = pause(80); }); // nobody's waiting
    });
    const double all_s = all.elapsed_s(), a_little_s = 0.002, lost_core_s = 0.02;
    for (int me = 0; me < 2; ++me) {
        double expected_s = 0; // without waiting at the end
        for (const auto& barrier : came_s)
            expected_s += std::max(0.0, barrier[1 - me] - barrier[me]);
        EXPECT_GE(team.waited_s(me), expected_s - lost_core_s) << me;
        EXPECT_LE(team.waited_s(me), all_s - paused_s[me] - serial_s + a_little_s) << me;
    }
}

TEST(barrier, lets_the_main_thread_alone_run_a_serial_part_in_one_barrier) {
    const int n = std::clamp(available_cpus(), 2, 4);
    Team team(n);
    const auto n_threads = static_cast<std::size_t>(n);
    std::vector<std::size_t> parts(n_threads * 16), seen(n_threads * 16); // a cache line apart
    const std::size_t before = team.barrier().n_barriers();
    std::size_t sum = 0, n_serial = 0;
    bool by_main = true, in_step = true;
    const std::thread::id main = std::this_thread::get_id();
    team.run([&](Worker worker) {
        const auto me = 16 * static_cast<std::size_t>(worker.index());
        for (std::size_t round = 1; round <= 20000; ++round) {
            parts[me] = round;
            worker.serial([&] {
                by_main = by_main && std::this_thread::get_id() == main;
                sum = 0;
                for (std::size_t t = 0; t < n_threads; ++t) sum += parts[16 * t];
                ++n_serial;
            });
            seen[me] += sum == round * n_threads ? 1u : 0u;
            if (round % 3 == 0)
                worker.barrier(); // both kinds after one another
            else
                worker.serial([&] { in_step = in_step && sum == round * n_threads; });
        }
    });
    EXPECT_TRUE(by_main);
    EXPECT_TRUE(in_step);
    EXPECT_EQ(n_serial, 20000u);
    for (std::size_t t = 0; t < n_threads; ++t) EXPECT_EQ(seen[16 * t], 20000u);
    EXPECT_EQ(team.barrier().n_barriers() - before, 40000u);
}

/// Of all threads, for 2000 barriers of 8 that count as having `n_cpus` CPUs.
double processor_s(int n_cpus) {
    Team team(8, n_cpus);
    const std::clock_t begin = std::clock(); // not the clock on the wall: others may have the cores
    for (int repeat = 0; repeat < 10; ++repeat)
        team.run([&](Worker worker) {
            for (int round = 0; round < 200; ++round) worker.barrier();
        });
    return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
}

TEST(barrier, gives_its_core_away_with_more_threads_than_cores) {
    if (available_cpus() >= 8)
        GTEST_SKIP() << "there is a core for each of the threads: runs on a machine with fewer "
                        "than 8 (or under taskset)";
    bool is_thrifty = false; // other programs disturb one comparison, hardly three
    for (int attempt = 0; attempt < 3 && !is_thrifty; ++attempt)
        is_thrifty = processor_s(1) < processor_s(8) / 2;
    EXPECT_TRUE(is_thrifty);
}

TEST(barrier, of_one_never_waits) {
    Barrier barrier(1, false);
    for (int i = 0; i < 5; ++i) barrier.wait();
    EXPECT_EQ(barrier.n_barriers(), 5u);
}

using TeamDeathTest = testing::Test;

TEST(TeamDeathTest, a_team_of_one_starts_no_thread) {
    testing::GTEST_FLAG(death_test_style) = "threadsafe"; // a new process: no team before this one
    EXPECT_EXIT(
        {
            const int before = n_kernel_threads();
            Team team(1);
            int n = 0;
            team.run([&](Worker worker) { n += worker.count(); });
            std::_Exit(n == 1 && n_kernel_threads() == before ? 0 : 1);
        },
        testing::ExitedWithCode(0), "");
}

TEST(TeamDeathTest, an_exception_that_leaves_a_body_ends_the_process_with_a_sentence) {
    testing::GTEST_FLAG(death_test_style) = "threadsafe";
    for (const int n : {1, 2}) {
        EXPECT_EXIT(Team(n).run([](Worker) { throw std::runtime_error("no head 7"); }),
                    testing::ExitedWithCode(70), "exception left a team's body: no head 7");
    }
    EXPECT_EXIT(Team(1).run([](Worker) { throw 3; }), testing::ExitedWithCode(70), "team's body");
}

TEST(TeamDeathTest, a_team_inside_a_team_is_an_error_and_no_deadlock) {
    testing::GTEST_FLAG(death_test_style) = "threadsafe";
    EXPECT_EXIT(
        {
            Team outer(2);
            Team inner(2);
            outer.run([&](Worker worker) {
                if (worker.is_main()) inner.run([](Worker other) { other.barrier(); });
            });
        },
        testing::ExitedWithCode(70), "inside another team");
    EXPECT_EXIT(Team(0), testing::ExitedWithCode(70), "at least one thread");
}

} // namespace
} // namespace pillar::threads
