// The rules of `check` on planted clusters, one thing wrong in each.

#include "four_boards.hpp"

#include "facts_json.hpp"
#include "profile.hpp"
#include "rules/rules.hpp"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace pillar::check {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// All lines, as printed.
std::string text_of(const ClusterFacts& facts) {
    return check_text(facts, judge(facts));
}
Level worst(const ClusterFacts& facts) {
    Level level = Level::good;
    for (const Verdict& verdict : judge(facts)) level = std::max(level, verdict.level);
    return level;
}
ExitCode code(const ClusterFacts& facts) {
    return exit_code_of(judge(facts));
}

TEST(check, finds_nothing_on_a_cluster_that_is_well) {
    const ClusterFacts facts = four_boards();
    EXPECT_EQ(worst(facts), Level::good) << text_of(facts);
    EXPECT_EQ(code(facts), ExitCode::done);
    EXPECT_THAT(text_of(facts),
                AllOf(HasSubstr("50 us for a short message"),
                      HasSubstr("118 MB/s one way, 100 MB/s both ways"),
                      HasSubstr("hides 80 % of the time of long messages; between computing, "
                                "short ones take 25 us longer"),
                      HasSubstr("6 pairs of nodes reach each other"),
                      HasSubstr("memory is read at 4.40 to 4.43 GB/s a node")));
}

TEST(check, finds_a_slow_link) {
    ClusterFacts facts = four_boards();
    facts.nodes[2].links[0].speed_mbit_per_s = 100;
    EXPECT_THAT(
        text_of(facts),
        HasSubstr("slow  link        eth0 runs at 100 Mbit/s on pi3: cable or switch port"));
    EXPECT_EQ(code(facts), ExitCode::done) << "it can be used";
    facts.nodes[2].links[0].duplex = "half";
    EXPECT_THAT(text_of(facts), HasSubstr("eth0 on pi3 is half duplex"));
}

TEST(check, finds_settings_of_the_network_card) {
    ClusterFacts facts = four_boards();
    facts.nodes[0].links[0].energy_efficient = true;
    facts.nodes[3].links[0].energy_efficient = true;
    EXPECT_THAT(text_of(facts),
                AllOf(HasSubstr("energy-efficient Ethernet is on for eth0 on pi1, pi4"),
                      HasSubstr("tune_node.sh")));
    facts = four_boards();
    facts.nodes[1].links[0].receive_delay_us = 393;
    EXPECT_THAT(text_of(facts), HasSubstr("held back before they are told of (rx-usecs above 50) "
                                          "by eth0 on pi2"));
    facts.nodes[1].links[0].receive_delay_us = 50;
    EXPECT_EQ(worst(facts), Level::good);
}

TEST(check, says_what_a_machine_does_not_tell) {
    ClusterFacts facts = four_boards();
    for (NodeFacts& node : facts.nodes) {
        node.governor.clear();
        node.throttled.reset();
        node.temperature_c.reset();
        node.clock_mhz.reset();
        node.links[0].energy_efficient.reset();
        node.links[0].speed_mbit_per_s.reset();
    }
    EXPECT_EQ(worst(facts), Level::good);
    EXPECT_THAT(text_of(facts),
                AllOf(HasSubstr("no cpufreq"), HasSubstr("no Raspberry Pi firmware"),
                      HasSubstr("speed not told"),
                      HasSubstr("energy-efficient Ethernet not told")));
}

TEST(check, finds_governors_and_clocks) {
    ClusterFacts facts = four_boards();
    facts.nodes[1].governor = "powersave";
    facts.nodes[3].governor = "ondemand";
    facts.nodes[1].clock_mhz = 600;
    EXPECT_THAT(text_of(facts),
                AllOf(HasSubstr("powersave on pi2"), HasSubstr("ondemand on pi4"),
                      HasSubstr("pi2 runs at 600 of 1800 MHz"), Not(HasSubstr("pi4 runs at"))));
    EXPECT_EQ(worst(facts), Level::slow);
}

TEST(check, says_how_busy_other_programs_kept_a_node) {
    ClusterFacts facts = four_boards();
    EXPECT_THAT(text_of(facts), HasSubstr("not told here: no /proc/stat"));
    for (NodeFacts& node : facts.nodes) node.other_cpus = 0.05;
    EXPECT_EQ(worst(facts), Level::good);
    EXPECT_THAT(text_of(facts), HasSubstr("other programs kept 0.05 CPUs busy at most"));
    facts.nodes[2].other_cpus = 1.3;
    EXPECT_EQ(worst(facts), Level::slow);
    EXPECT_EQ(code(facts), ExitCode::done);
    EXPECT_THAT(text_of(facts), HasSubstr("other programs kept 1.3 of pi3's 4 CPUs busy"));
    EXPECT_THAT(check_json(facts, judge(facts)), HasSubstr("\"other_cpus\": 1.3"));
}

TEST(check, finds_throttling_and_heat) {
    ClusterFacts facts = four_boards();
    facts.nodes[0].throttled = 0x50005;
    EXPECT_THAT(text_of(facts),
                AllOf(HasSubstr("slow  throttling  pi1: under-voltage now"), HasSubstr("5.1 V")));
    facts = four_boards();
    facts.nodes[0].throttled = 0x80008;
    EXPECT_THAT(text_of(facts), HasSubstr("a heat sink or a fan"));
    facts = four_boards();
    facts.nodes[0].throttled = 0x40000;
    EXPECT_THAT(text_of(facts), HasSubstr("note  throttling  pi1: clock throttled since boot"));
    facts = four_boards();
    facts.nodes[2].temperature_c = 79;
    EXPECT_THAT(text_of(facts), HasSubstr("pi3 has 79 °C"));
}

TEST(check, finds_unequal_memory_and_what_does_not_fit) {
    ClusterFacts facts = four_boards();
    facts.nodes[1].memory_bytes = 4e9;
    facts.nodes[1].available_bytes = 3.4e9;
    EXPECT_THAT(text_of(facts), HasSubstr("pi2 has 4.00 GB where another node has 8.20 GB"));
    EXPECT_EQ(code(facts), ExitCode::done);
    facts.nodes[1].shortage = "pi2 needs 3.50 GB for 1 rank but has 3.40 GB available";
    EXPECT_THAT(text_of(facts), HasSubstr("BAD   memory      pi2 needs 3.50 GB for 1 rank but has "
                                          "3.40 GB available"));
    EXPECT_EQ(code(facts), ExitCode::refused); // as a run
}

TEST(check, tells_once_of_a_machine_what_does_not_fit) {
    ClusterFacts facts = four_boards();
    facts.identities[1].machine = facts.identities[0].machine;
    facts.identities[1].network = facts.identities[0].network;
    facts.identities[1].host = "pi1";
    facts.nodes[0].read_bytes_per_s = facts.nodes[1].read_bytes_per_s = 2.2e9;
    EXPECT_EQ(worst(facts), Level::good) << text_of(facts);
    for (const std::size_t rank : {0U, 1U})
        facts.nodes[rank].shortage = "pi1 needs 8.00 GB for 2 ranks but has 7.50 GB available";
    const std::string text = text_of(facts);
    const std::size_t found = text.find("pi1 needs 8.00 GB for 2 ranks");
    ASSERT_NE(found, std::string::npos) << text;
    EXPECT_EQ(text.find("pi1 needs", found + 1), std::string::npos) << text;
}

TEST(check, finds_one_slow_node) {
    ClusterFacts facts = four_boards();
    facts.nodes[3].read_bytes_per_s = 2.1e9;
    EXPECT_THAT(text_of(facts), HasSubstr("pi4 reads 2.10 GB/s where the middle node reads 4.4"));
    EXPECT_DOUBLE_EQ(profile_of(facts).read_bytes_per_s, 2.1e9);
}

TEST(check, finds_mixed_programs_and_libraries) {
    ClusterFacts facts = four_boards();
    facts.identities[2].program = "0.1.0 def";
    EXPECT_EQ(code(facts), ExitCode::disagree);
    EXPECT_EQ(exit_code_of(judge_identities(facts.identities)), ExitCode::disagree);
    EXPECT_THAT(text_of(facts), HasSubstr("BAD   program     0.1.0 abc on pi1, pi2, pi4; 0.1.0 def "
                                          "on pi3: jobs/deploy.sh"));
    facts = four_boards();
    facts.identities[0].mpi = "Open MPI v5.0.7";
    EXPECT_EQ(code(facts), ExitCode::disagree);
    EXPECT_THAT(text_of(facts),
                HasSubstr("Open MPI v4.1.4 on pi2, pi3, pi4; Open MPI v5.0.7 on pi1"));
}

TEST(check, finds_an_absent_and_another_model) {
    ClusterFacts facts = four_boards();
    facts.models[3] = {true, "m.gguf", 66, "m.gguf: cannot open", ""};
    EXPECT_EQ(code(facts), ExitCode::no_input);
    EXPECT_THAT(text_of(facts), HasSubstr("pi4 has no file m.gguf: jobs/deploy.sh"));
    facts.models[1].hash = "beef";
    EXPECT_EQ(code(facts), ExitCode::no_input) << "what is absent comes first";
    facts = four_boards();
    facts.models[1].hash = "beef";
    EXPECT_EQ(code(facts), ExitCode::disagree);
    EXPECT_THAT(text_of(facts), HasSubstr("header 00ff on pi1, pi3, pi4; beef on pi2"));
    facts = four_boards();
    facts.models[0] = {true, "m.gguf", 65, "m.gguf: it ends too early", ""};
    EXPECT_EQ(code(facts), ExitCode::bad_data);
    for (ModelFacts& model : facts.models) model = {};
    EXPECT_EQ(code(facts), ExitCode::done);
    EXPECT_THAT(text_of(facts), Not(HasSubstr("model")));
}

TEST(check, finds_messages_on_another_interface) {
    ClusterFacts facts = four_boards();
    for (PairFacts& pair : facts.pairs)
        if (pair.b == 3) pair.carrier_b = "wlan0";
    facts.nodes[3].links = {{"wlan0", "up", std::nullopt, "", true, std::nullopt, std::nullopt}};
    EXPECT_THAT(text_of(facts),
                AllOf(HasSubstr("messages went over wlan0 of pi4 although btl_tcp_if_include names "
                                "eth0"),
                      HasSubstr("pi4 sends over Wi-Fi (wlan0)")));
    for (NodeFacts& node : facts.nodes) node.named_interfaces = "192.168.1.0/24";
    EXPECT_THAT(text_of(facts), Not(HasSubstr("although"))) << "a subnet names no interface";
    facts = four_boards();
    facts.pairs[0].carrier_a.clear();
    EXPECT_THAT(text_of(facts), HasSubstr("note  path        which interface carries the messages "
                                          "of pi1 is not told"));
}

TEST(check, finds_one_slow_pair_and_a_slow_network) {
    ClusterFacts facts = four_boards();
    facts.pairs[1].latency_s = 130e-6;
    EXPECT_THAT(text_of(facts),
                HasSubstr("pi1 - pi3: 130 us and 118 MB/s where the middle pair has "
                          "50 us and 118 MB/s"));
    facts = four_boards();
    for (PairFacts& pair : facts.pairs) pair.latency_s = 8e-6;
    facts.pairs[1].latency_s = 20e-6; // nobody minds
    EXPECT_EQ(worst(facts), Level::good) << text_of(facts);
    facts = four_boards();
    facts.pairs[5].s_per_byte = 12e-9;
    EXPECT_THAT(text_of(facts), HasSubstr("pi3 - pi4: 83 MB/s where the link allows 118"));
    facts = four_boards();
    for (PairFacts& pair : facts.pairs) pair.latency_s = 200e-6;
    EXPECT_THAT(text_of(facts), HasSubstr("200 us for a short message: jobs/tune_node.sh"));
}

TEST(check, finds_a_wrong_time_of_day_and_binding) {
    ClusterFacts facts = four_boards();
    facts.nodes[2].clock_offset_s = -3600;
    facts.binding_warning = "1 rank on pi1 may use only 1 of 4 CPUs: add --bind-to none";
    EXPECT_THAT(text_of(facts), AllOf(HasSubstr("time of day on pi3 is 3600.0 s off pi1's"),
                                      HasSubstr("slow  threads     1 rank on pi1 may use only")));
}

TEST(check, needs_no_second_rank) {
    ClusterFacts facts = four_boards();
    facts.identities.resize(1);
    facts.models.resize(1);
    facts.nodes.resize(1);
    facts.pairs.clear();
    facts.allreduces.clear();
    facts.overlap.reset();
    EXPECT_THAT(text_of(facts), Not(HasSubstr("overlap")));
    EXPECT_THAT(text_of(facts), HasSubstr("one rank: nothing is sent"));
    EXPECT_EQ(code(facts), ExitCode::done);
    const perf::NetworkProfile network = profile_of(facts).network;
    EXPECT_EQ(network.latency_s, perf::NetworkProfile().latency_s);
    EXPECT_EQ(network.hidden_share, perf::NetworkProfile().hidden_share);
    EXPECT_EQ(network.reduction.q8_s, 8e-9) << "measured without a network";
}

TEST(check, makes_the_profile_of_what_it_measured) {
    ClusterFacts facts = four_boards();
    facts.pairs[0].latency_s = 90e-6; // one of six: the middle stays
    facts.nodes[1].products_per_s = 40e9;
    facts.nodes[2].available_bytes = 6e9;
    facts.nodes[3].f16_summing_s = 7e-9; // the slowest counts
    const perf::MachineProfile p = profile_of(facts);
    EXPECT_EQ(p.name, "Raspberry Pi 4 Model B Rev 1.4");
    EXPECT_DOUBLE_EQ(p.read_bytes_per_s, 4.4e9);
    EXPECT_DOUBLE_EQ(p.macs_per_s, 40e9);
    EXPECT_DOUBLE_EQ(p.float_macs_per_s, 20e9);
    EXPECT_DOUBLE_EQ(p.available_bytes, 6e9);
    EXPECT_DOUBLE_EQ(p.network.latency_s, 50e-6);
    EXPECT_DOUBLE_EQ(p.network.s_per_byte_both_ways, 10e-9);
    EXPECT_DOUBLE_EQ(p.network.s_per_byte_long, 12e-9);
    EXPECT_DOUBLE_EQ(p.network.hidden_share, 0.8);
    EXPECT_DOUBLE_EQ(p.network.jitter_s, 25e-6);
    EXPECT_DOUBLE_EQ(p.network.reduction.f32_s, 3e-9);
    EXPECT_DOUBLE_EQ(p.network.reduction.f16_s, 7e-9);
    EXPECT_DOUBLE_EQ(p.network.reduction.q8_s, 8e-9);
    const auto q = perf::parse_profile(perf::profile_text(p, profile_header(facts)), "p");
    EXPECT_NEAR(q.network.s_per_byte, 8.5e-9, 1e-15);
}

TEST(check, tells_all_as_json) {
    ClusterFacts facts = four_boards();
    facts.nodes[2].links[0].speed_mbit_per_s = 100;
    facts.nodes[1].throttled.reset();
    const auto json = nlohmann::json::parse(check_json(facts, judge(facts)));
    EXPECT_EQ(json["exit_code"], 0);
    EXPECT_EQ(json["facts"]["nodes"][2]["links"][0]["speed_mbit_per_s"], 100);
    EXPECT_TRUE(json["facts"]["nodes"][1]["throttled"].is_null());
    ClusterFacts again = facts;
    for (std::size_t rank = 0; rank < facts.nodes.size(); ++rank) {
        again.identities[rank] = {}, again.models[rank] = {}, again.nodes[rank] = {};
        from_json(json["facts"]["identities"][rank].dump(), again.identities[rank]);
        from_json(json["facts"]["models"][rank].dump(), again.models[rank]);
        from_json(json["facts"]["nodes"][rank].dump(), again.nodes[rank]);
    }
    EXPECT_EQ(check_text(again, judge(again)), check_text(facts, judge(facts)));
}

TEST(check, shows_pairs_as_a_matrix) {
    ClusterFacts facts = four_boards();
    facts.pairs[0].latency_s = 61.24e-6;
    facts.pairs[0].s_per_byte = 9.5e-9;
    EXPECT_THAT(text_of(facts), AllOf(HasSubstr("pi1              -    61.2    50.0    50.0\n"),
                                      HasSubstr("pi2          105.3       -    50.0    50.0\n")));
}

} // namespace
} // namespace pillar::check
