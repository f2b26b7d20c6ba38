// Planted affinity masks: how many threads follow, and which sentence.

#include "pillar/comm/binding.hpp"
#include "support/ranks/dry_run.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <numeric>

namespace pillar::comm {
namespace {

using testing::HasSubstr;

std::vector<int> cpus(int begin, int end) {
    std::vector<int> all(static_cast<std::size_t>(end - begin));
    std::iota(all.begin(), all.end(), begin);
    return all;
}

/// A rank on a board of four CPUs.
RankCpus on(std::string host, std::vector<int> mask) {
    const int n = static_cast<int>(mask.size());
    return {host, "kernel of " + host, std::move(mask), n, 4};
}

Binding judge(const std::vector<RankCpus>& ranks, int threads, std::string_view launcher) {
    const Binding binding = judge_binding(ranks, 0, threads, launcher);
    for (std::size_t r = 1; r < ranks.size(); ++r) { // one sentence for the job
        EXPECT_EQ(judge_binding(ranks, static_cast<int>(r), threads, launcher).warning,
                  binding.warning);
    }
    return binding;
}

TEST(binding, of_one_unbound_rank_a_board_uses_all_cpus_silently) {
    const std::vector ranks = {on("pi1", cpus(0, 4)), on("pi2", cpus(0, 4))};
    const Binding binding = judge(ranks, 0, "mpirun");
    EXPECT_EQ(binding.n_threads_default, 4);
    EXPECT_EQ(binding.warning, "");
    EXPECT_EQ(judge(ranks, 4, "mpirun").warning, "");
    EXPECT_EQ(judge(ranks, 2, "mpirun").warning, "");
}

TEST(binding, to_one_core_is_reported_with_the_flag_that_mends_it) {
    const std::vector ranks = {on("pi1", {0}), on("pi2", {0})};
    const Binding binding = judge(ranks, 0, "mpirun");
    EXPECT_EQ(binding.n_threads_default, 1);
    EXPECT_EQ(binding.warning, "1 rank on pi1 may use only 1 of 4 CPUs: add --bind-to none to "
                               "mpirun's flags (and so on 1 other host)");
}

TEST(binding, to_one_core_with_threads_asked_for_says_that_they_share_it) {
    const Binding binding = judge({on("pi1", {0}), on("pi2", cpus(0, 4))}, 4, "mpirun");
    EXPECT_EQ(binding.warning, "4 threads of 1 rank share 1 CPU on pi1 although it has 4: add "
                               "--bind-to none to mpirun's flags");
}

TEST(binding, of_srun_without_cpus_per_task_names_its_flag) {
    const Binding binding = judge({on("pi1", {2}), on("pi2", {1})}, 0, "srun");
    EXPECT_THAT(binding.warning, HasSubstr("srun --cpus-per-task=4"));
}

TEST(binding, asked_for_on_purpose_is_not_reported) {
    EXPECT_EQ(judge({on("pi1", {0, 1})}, 2, "").warning, "");
    EXPECT_EQ(judge({on("pi1", {0})}, 1, "mpirun").warning, "");
    EXPECT_THAT(judge({on("pi1", {0, 1})}, 0, "").warning, HasSubstr("taskset"));
}

TEST(binding, of_ranks_that_share_cpus_divides_them) {
    const std::vector ranks = {on("pi1", cpus(0, 4)), on("pi1", cpus(0, 4))};
    const Binding binding = judge(ranks, 0, "mpirun");
    EXPECT_EQ(binding.n_threads_default, 2);
    EXPECT_EQ(binding.warning, "");
    EXPECT_EQ(judge(ranks, 4, "mpirun").warning,
              "8 threads of 2 ranks share 4 CPUs on pi1: use -t 2");
}

TEST(binding, of_hosts_that_are_one_machine_names_them_all) {
    std::vector<RankCpus> ranks;
    for (const char* host : {"node1", "node2", "node3", "node1", "node2"}) {
        ranks.push_back(on(host, cpus(0, 4)));
        ranks.back().machine = "the same kernel";
    }
    EXPECT_EQ(judge(ranks, 0, "mpirun").warning,
              "5 threads of 5 ranks share 4 CPUs on node1, node2, node3 (one machine): start at "
              "most 4 ranks there");
}

TEST(binding, of_disjoint_halves_leaves_each_rank_its_own) {
    const std::vector ranks = {on("pi1", {0, 1}), on("pi1", {2, 3})};
    EXPECT_EQ(judge(ranks, 0, "mpirun").n_threads_default, 2);
    EXPECT_EQ(judge(ranks, 0, "mpirun").warning, "");
    EXPECT_EQ(judge(ranks, 2, "mpirun").warning, "");
}

TEST(binding, of_two_ranks_to_a_core_each_leaves_half_unused) {
    const std::vector ranks = {on("pi1", {0}), on("pi1", {1})};
    EXPECT_EQ(judge(ranks, 0, "mpirun").n_threads_default, 1);
    EXPECT_EQ(judge(ranks, 0, "mpirun").warning,
              "2 ranks on pi1 may use only 2 of 4 CPUs: add --bind-to none to mpirun's flags");
    EXPECT_EQ(judge(ranks, 4, "mpirun").warning,
              "4 threads of 1 rank share 1 CPU on pi1: use -t 2 and add --bind-to none to "
              "mpirun's flags");
}

TEST(binding, of_two_ranks_to_the_same_core_is_reported) {
    EXPECT_EQ(judge({on("pi1", {3}), on("pi1", {3})}, 0, "mpirun").warning,
              "2 threads of 2 ranks share 1 CPU on pi1 although it has 4: add --bind-to none to "
              "mpirun's flags");
}

TEST(binding, of_more_ranks_than_cpus_gives_one_thread_each_and_says_so) {
    const std::vector<RankCpus> ranks(5, on("pi1", cpus(0, 4)));
    const Binding binding = judge(ranks, 0, "mpirun");
    EXPECT_EQ(binding.n_threads_default, 1);
    EXPECT_EQ(binding.warning,
              "5 threads of 5 ranks share 4 CPUs on pi1: start at most 4 ranks there");
}

TEST(binding, under_a_cpu_quota_counts_the_quota) {
    RankCpus rank = on("pi1", cpus(0, 4));
    rank.n_usable = 2;
    rank.n_available = 2;
    EXPECT_EQ(judge({rank}, 0, "").n_threads_default, 2);
    EXPECT_EQ(judge({rank}, 0, "").warning, "");
    EXPECT_EQ(judge({rank}, 4, "").warning, "4 threads of 1 rank share 2 CPUs on pi1: use -t 2");
}

TEST(binding, tells_boards_of_one_name_apart) {
    RankCpus first = on("raspberrypi", cpus(0, 4));
    RankCpus second = first;
    first.machine = "one";
    second.machine = "two";
    EXPECT_EQ(judge({first, second}, 0, "mpirun").n_threads_default, 4);
    EXPECT_FALSE(is_oversubscribed(std::vector{first, second}, 0));
}

TEST(oversubscription, is_more_ranks_than_cpus_on_a_machine) {
    const RankCpus unbound = on("pi1", cpus(0, 4));
    EXPECT_FALSE(is_oversubscribed(std::vector(4, unbound), 0));
    EXPECT_TRUE(is_oversubscribed(std::vector(5, unbound), 4));
    EXPECT_FALSE(is_oversubscribed(std::vector{on("pi1", {0}), on("pi1", {1})}, 0));
    EXPECT_TRUE(is_oversubscribed(std::vector{on("pi1", {1}), on("pi1", {1})}, 0));
    RankCpus with_quota = unbound;
    with_quota.n_available = 2;
    EXPECT_TRUE(is_oversubscribed(std::vector(3, with_quota), 0));
}

TEST(own_cpus, has_every_cpu_that_the_threads_may_use) {
    const RankCpus own = own_cpus();
    EXPECT_FALSE(own.host.empty());
    EXPECT_FALSE(own.machine.empty());
    EXPECT_GE(own.n_usable, 1);
    EXPECT_GE(own.cpus.size(), static_cast<std::size_t>(own.n_usable));
    EXPECT_GE(own.n_available, own.n_usable);
    EXPECT_TRUE(std::ranges::is_sorted(own.cpus));
}

TEST(all_cpus, travel_unchanged) {
    const auto comm = support::make_dry_run(0, 2, Algorithm::recursive_doubling, Wire::f32);
    const RankCpus own = own_cpus();
    const std::vector<RankCpus> all = all_cpus(*comm);
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[1].host, own.host);
    EXPECT_EQ(all[1].machine, own.machine);
    EXPECT_EQ(all[1].cpus, own.cpus);
    EXPECT_EQ(all[1].n_usable, own.n_usable);
    EXPECT_EQ(all[1].n_available, own.n_available);
}

} // namespace
} // namespace pillar::comm
