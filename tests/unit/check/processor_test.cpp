// What `check` says of CPUs, supplies, others at work, cold files and stalls, on planted clusters
// and a planted machine.

#include "four_boards.hpp"

#include "facts_json.hpp"
#include "node_facts.hpp"
#include "profile.hpp"
#include "rules/rules.hpp"

#include "support/planted_tree.hpp"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pillar::check {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::string lines_of(const ClusterFacts& facts) {
    return check_text(facts, judge(facts));
}
Level worst_of(const ClusterFacts& facts) {
    const auto verdicts = judge(facts);
    return std::ranges::max(verdicts, {}, &Verdict::level).level;
}

/// Four small cores and four big ones.
std::vector<CpuFacts> eight_cores(int first_used, int last_used) {
    std::vector<CpuFacts> cpus;
    for (int cpu = 0; cpu < 8; ++cpu)
        cpus.push_back({cpu, cpu < 4 ? 414.0 : 1024.0, first_used <= cpu && cpu <= last_used});
    return cpus;
}

TEST(check_processors, says_which_kernels_a_board_without_dot_products_has) {
    const ClusterFacts facts = four_boards();
    EXPECT_EQ(worst_of(facts), Level::good);
    EXPECT_THAT(lines_of(facts),
                HasSubstr("ok    kernels     neon: these CPUs have no dot-product"));
}

TEST(check_processors, finds_a_build_without_the_kernels_of_its_cpu) {
    ClusterFacts facts = four_boards();
    facts.nodes[2].instructions = {"asimddp", "asimd"};
    facts.nodes[2].families = {"reference", "integer", "neon"};
    EXPECT_THAT(lines_of(facts),
                HasSubstr("slow  kernels     pi3's CPUs have asimddp, but this program was built "
                          "without the dotprod kernels and computes with neon"));
    facts.nodes[2].families.emplace_back("dotprod"); // but the CPU lacks something else it needs
    EXPECT_EQ(worst_of(facts), Level::good);
}

TEST(check_processors, finds_boards_of_other_kernels) {
    ClusterFacts facts = four_boards();
    facts.nodes[1].kernels = "dotprod";
    facts.nodes[1].instructions = {"asimddp", "asimd"};
    EXPECT_THAT(lines_of(facts),
                AllOf(HasSubstr("neon on pi1, pi3, pi4"), HasSubstr("dotprod on pi2"),
                      HasSubstr("takes the slowest of them on all nodes"), HasSubstr("--split")));
    for (NodeFacts& node : facts.nodes) node.kernels = "dotprod";
    EXPECT_EQ(worst_of(facts), Level::good);
    EXPECT_THAT(lines_of(facts), HasSubstr("dotprod, by dot-product instructions"));
}

TEST(check_processors, finds_big_and_little_cores_in_one_team) {
    ClusterFacts facts = four_boards();
    facts.nodes[3].cpus = eight_cores(0, 7);
    EXPECT_EQ(worst_of(facts), Level::slow);
    EXPECT_THAT(lines_of(facts),
                HasSubstr("rank 3 on pi4 computes on fast CPUs (4-7) and slow ones (0-3) together, "
                          "which differ 2.5 times: every step waits for the slow ones; start it as "
                          "`taskset -c 4-7 "));
    facts.nodes[3].cpus = eight_cores(4, 7);
    EXPECT_EQ(worst_of(facts), Level::good);
    EXPECT_THAT(lines_of(facts), HasSubstr("rank 3 on pi4 computes on the fast CPUs 4-7 alone"));
    facts.nodes[3].cpus = eight_cores(0, 3);
    EXPECT_THAT(lines_of(facts), HasSubstr("on the slow CPUs 0-3 alone: bind it"));
    facts.nodes[3].cpus = {{0, 4.6e6, true}, {1, 4.9e6, true}}; // a favourite is no other kind
    EXPECT_EQ(worst_of(facts), Level::good);
    EXPECT_THAT(lines_of(facts), Not(HasSubstr("cores")));
}

TEST(check_processors, finds_a_weak_supply) {
    ClusterFacts facts = four_boards();
    EXPECT_THAT(lines_of(facts), Not(HasSubstr("supply")));
    facts.nodes[0].supply_v = 5.08;
    facts.nodes[1].supply_v = 5.02;
    EXPECT_EQ(worst_of(facts), Level::good);
    EXPECT_THAT(lines_of(facts), HasSubstr("ok    supply      5.02 V or more under load"));
    facts.nodes[1].supply_v = 4.71;
    EXPECT_THAT(lines_of(facts), HasSubstr("slow  supply      pi2 gets 4.71 V under load"));
}

TEST(check_load, names_who_is_at_work_and_on_which_cores) {
    ClusterFacts facts = four_boards();
    facts.nodes[2].other_cpus = 1.25;
    facts.nodes[2].others = {{812, "stress", 1.25, {1, 2}, {0.3, 0.95}}};
    EXPECT_THAT(lines_of(facts),
                HasSubstr("kept 1.2 of pi3's 4 CPUs busy (stress (process 812): 30 % of CPU 1, 95 "
                          "% of CPU 2)"));
}

TEST(check_load, does_not_take_ranks_for_others) {
    ClusterFacts facts = four_boards();
    facts.identities[1].machine = facts.identities[0].machine;
    for (std::size_t rank = 0; rank < 4; ++rank)
        facts.nodes[rank].process = 100 + static_cast<std::int64_t>(rank);
    const std::vector<ProcessFacts> seen = {
        {100, "pillar", 3, {0}, {1}}, {101, "pillar", 3, {1}, {1}}, {103, "stress", 1, {2}, {1}}};
    facts.nodes[0].others = facts.nodes[1].others = seen;
    facts.nodes[3].others = seen;
    leave_ranks_out(facts);
    ASSERT_EQ(facts.nodes[0].others.size(), 1U);
    EXPECT_EQ(facts.nodes[0].others[0].name, "stress");
    EXPECT_EQ(facts.nodes[1].others.size(), 1U);
    EXPECT_EQ(facts.nodes[3].others.size(), 2U) << "another machine's numbers are its own";
}

TEST(check_load, notes_what_kept_a_tenth_of_a_cpu_busy) {
    NodeFacts facts;
    note_others(facts, {{812, {812, "stress", 1, 2}}, {900, {900, "sshd", 1, 0}}},
                {{812, {812, "stress", 3, 2}}, {900, {900, "sshd", 1.1, 0}}}, 4);
    ASSERT_EQ(facts.others.size(), 1U);
    EXPECT_EQ(facts.others[0].process, 812);
    EXPECT_DOUBLE_EQ(facts.others[0].shares.at(0), 0.5);
}

TEST(check_cache, finds_weights_that_are_not_in_memory) {
    ClusterFacts facts = four_boards();
    for (std::size_t rank = 0; rank < 4; ++rank) {
        facts.nodes[rank].weight_bytes = 1e9; // of 4
        facts.models[rank].file_bytes = 4e9;
        facts.models[rank].cached_bytes = 1e9;
    }
    EXPECT_EQ(worst_of(facts), Level::good) << "a rank reads its part";
    facts.models[2].cached_bytes = 2e8;
    EXPECT_EQ(worst_of(facts), Level::note);
    EXPECT_THAT(lines_of(facts), HasSubstr("note  cache       pi3 has 200 MB of m.gguf in "
                                           "memory, and its ranks read 1.00 GB"));
    facts.identities[3].machine = facts.identities[0].machine;
    EXPECT_THAT(lines_of(facts), HasSubstr("pi1 has 1.00 GB of m.gguf in memory, and its ranks "
                                           "read 2.00 GB"));
}

TEST(check_stalls, finds_round_trips_that_waited_for_an_acknowledgement) {
    ClusterFacts facts = four_boards();
    for (PairFacts& pair : facts.pairs) pair.n_short = 270, pair.longest_s = 1.5e-3;
    EXPECT_EQ(worst_of(facts), Level::good);
    EXPECT_THAT(lines_of(facts),
                HasSubstr("none in 1620 short round trips, the longest took 1.5 ms"));
    facts.pairs[1].n_stalls = 1;
    facts.pairs[1].longest_s = 41e-3;
    EXPECT_EQ(worst_of(facts), Level::note);
    facts.pairs[1].n_stalls = 7;
    EXPECT_THAT(lines_of(facts), HasSubstr("slow  stalls      pi1 - pi3: 7 of 270 short round "
                                           "trips took up to 41 ms"));
}

TEST(check_processors, travel_between_ranks) {
    NodeFacts facts;
    facts.cpus = eight_cores(4, 7);
    facts.supply_v = 5.1;
    facts.others = {{812, "stress", 1.25, {1, 2}, {0.3, 0.95}}};
    facts.instructions = {"asimddp"};
    NodeFacts again;
    from_json(to_json(facts), again);
    EXPECT_EQ(to_json(again), to_json(facts));
    EXPECT_EQ(again.cpus.at(7).cpu, 7);
    EXPECT_TRUE(again.cpus.at(4).is_used);
    EXPECT_EQ(again.others.at(0).shares, facts.others[0].shares);
}

TEST(check_node, reads_what_a_planted_machine_tells) {
    const support::PlantedTree tree;
    tree.plant("proc/cpuinfo", "processor\t: 0\nFeatures\t: fp asimd aes asimddp\n"
                               "processor\t: 1\nFeatures\t: fp asimd aes asimddp\n");
    for (int cpu = 0; cpu < 2; ++cpu)
        tree.plant("sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/cpu_capacity",
                   cpu == 0 ? "1024\n" : "414\n");
    const NodeFacts facts = describe_node(tree.root());
    EXPECT_EQ(facts.instructions, (std::vector<std::string>{"asimddp", "asimd"}));
    ASSERT_EQ(facts.cpus.size(), 2U);
    EXPECT_EQ(facts.cpus[1].speed, 414);
    EXPECT_GT(facts.process, 0);
}

} // namespace
} // namespace pillar::check
