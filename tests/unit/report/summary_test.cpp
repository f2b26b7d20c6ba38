// Sums, shares and times per token of planted traces, against numbers worked out by hand.

#include "pillar/report/summary.hpp"

#include "planted.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pillar::report {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

TEST(Summary, DropsTheFirstDecodeStepAsWarmUp) {
    const Totals totals = totals_of(planted({}));
    EXPECT_EQ(totals.n_warm_up_steps, 1);
    EXPECT_THAT(totals.seconds_per_token, SizeIs(9));
    EXPECT_THAT(totals.seconds_per_token, Each(0.25));
    EXPECT_EQ(decode_tokens_per_s(totals), 4.0);
    EXPECT_EQ(prompt_tokens_per_s(totals), 8.0);
}

TEST(Summary, KeepsASingleDecodeStep) {
    const Totals totals = totals_of(planted({.n_decode = 1}));
    EXPECT_EQ(totals.n_warm_up_steps, 0);
    EXPECT_THAT(totals.seconds_per_token, SizeIs(1));
}

TEST(Summary, CountsWhatHappensBetweenStepsButNotTracing) {
    const Totals totals = totals_of(planted({.outside_s = 0.25, .trace_s = 8}));
    ASSERT_THAT(totals.seconds_per_token, SizeIs(9));
    for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(totals.seconds_per_token[i], 0.5) << i;
    EXPECT_EQ(totals.seconds_per_token[8], 0.25); // no step follows
    EXPECT_EQ(seconds_per_token(totals)->median, 0.5);
    EXPECT_DOUBLE_EQ(*outside_share(totals), 8 * 0.25 / (8 * 0.5 + 0.25));
}

TEST(Summary, DoesNotCountAPauseAcrossAMissingStep) {
    trace::Trace trace = planted({});
    for (std::size_t i = 6; i < trace.n_steps(); ++i) {
        trace.steps[i].step += 100;
        trace.steps[i].t_start_s += 1000;
    }
    EXPECT_THAT(totals_of(trace).seconds_per_token, Each(0.25));
}

TEST(Summary, DividesAStepOfABatchAmongItsTokens) {
    trace::Trace trace = planted({});
    for (std::size_t i = 1; i < trace.n_steps(); ++i) trace.steps[i].n_rows = 5;
    const Totals totals = totals_of(trace);
    EXPECT_THAT(totals.seconds_per_token, Each(0.05));
    EXPECT_EQ(totals.n_decode_tokens, 45);
    EXPECT_DOUBLE_EQ(*decode_tokens_per_s(totals), 20);
    EXPECT_DOUBLE_EQ(*megabytes_per_token(totals), 0.0002);
}

TEST(Summary, DividesAStepAmongTheTokensThatItPickedWithTheDraftModelsStepsBeforeIt) {
    trace::Trace trace = planted({}); // a prompt, then ten steps of 0.25 s
    const auto plant = [&](std::size_t i, std::uint32_t n_proposed, std::uint32_t n_accepted) {
        trace.steps[i].n_rows = 1 + n_proposed;
        trace.steps[i].n_proposed = n_proposed;
        trace.steps[i].n_accepted = n_accepted;
    };
    plant(2, 3, 3);
    plant(3, 3, 0);
    trace.steps[4].is_draft = trace.steps[5].is_draft = 1;
    trace.steps[4].phase = trace::Phase::prefill; // it reads what it has not read yet
    plant(6, 2, 1);
    const Totals totals = totals_of(trace);
    EXPECT_THAT(totals.seconds_per_token, ElementsAre(0.0625, 0.25, 0.375, 0.25, 0.25, 0.25, 0.25));
    EXPECT_EQ(totals.n_decode_tokens, 4 + 1 + 2 + 4);
    EXPECT_DOUBLE_EQ(totals.decode_s, 9 * 0.25);
    EXPECT_EQ(totals.n_proposed, 8);
    EXPECT_EQ(totals.n_accepted, 4);
    EXPECT_DOUBLE_EQ(*tokens_per_step(totals), 11.0 / 7);
    EXPECT_EQ(tokens_per_step(totals_of(planted({}))), std::nullopt);
}

TEST(Summary, TakesSharesOverAllRanksAndNamesTheSlowest) {
    const Totals totals = totals_of(planted({.n_ranks = 4}));
    const Shares shares = shares_of(totals.ranks);
    EXPECT_DOUBLE_EQ(shares.compute, (0.5 + 0.625 + 0.5 + 0.5) / 4);
    EXPECT_DOUBLE_EQ(shares.wait, 0.25);
    EXPECT_DOUBLE_EQ(shares.compute + shares.wait + shares.wire, 1);
    EXPECT_EQ(slowest_rank(totals.ranks), 1);
    EXPECT_EQ(totals.ranks[1].host, "pi2");
    EXPECT_DOUBLE_EQ(*megabytes_per_token(totals), 0.001);
    EXPECT_EQ(totals.ranks[3].messages_sent, 63);
}

TEST(Summary, LeavesOutRanksWhoseRecordsAreMissing) {
    trace::Trace trace = planted({.n_ranks = 2});
    const double nan = std::numeric_limits<double>::quiet_NaN();
    trace::RankRow& last = trace.ranks.back();
    last.compute_s = last.wait_s = last.wire_s = nan;
    const Totals totals = totals_of(trace);
    EXPECT_DOUBLE_EQ(totals.ranks[0].step_s(), 9 * 0.25);
    EXPECT_DOUBLE_EQ(totals.ranks[1].step_s(), 8 * 0.25);
}

TEST(Summary, RemarksOnIncompleteTracesAndThrottledBoards) {
    trace::Trace trace = planted({.n_ranks = 2});
    EXPECT_THAT(totals_of(trace).remarks, SizeIs(0));
    trace.is_complete = false;
    trace.hosts[1].throttled = 0x50005;
    const Totals totals = totals_of(trace);
    ASSERT_THAT(totals.remarks, SizeIs(2));
    EXPECT_THAT(totals.remarks[0], HasSubstr("incomplete"));
    EXPECT_THAT(totals.remarks[1], HasSubstr("rank 1 (pi2) was throttled (bits 0x50005)"));
}

TEST(Summary, RemarksOnOtherProgramsOnceANode) {
    trace::Trace trace = planted({.n_ranks = 3});
    for (auto& host : trace.hosts) host.n_cores = 4;
    trace.hosts[1].hostname = trace.hosts[0].hostname;
    for (const std::size_t rank : {0, 1}) trace.hosts[rank].other_cpus = 1.25;
    trace.hosts[2].other_cpus = 0.1; // what a machine does by itself
    EXPECT_THAT(
        totals_of(trace).remarks,
        ::testing::ElementsAre("a.h5: other programs kept 1.2 of pi1's 4 CPUs busy: without "
                               "them it would have been faster"));
    trace.hosts[2].other_cpus = 3;
    EXPECT_EQ(totals_of(trace).remarks.size(), 2);
}

TEST(Summary, RemarksOnAnEmulatedNetwork) {
    trace::Trace trace = planted({});
    trace.config.set<"emulate_network">("50,8.5");
    const Totals totals = totals_of(trace);
    EXPECT_EQ(totals.emulated_network, "50,8.5");
    ASSERT_THAT(totals.remarks, SizeIs(1));
    EXPECT_THAT(totals.remarks[0], HasSubstr("--emulate-network 50,8.5"));
}

TEST(Summary, AddsRunsOfOneConfiguration) {
    Totals totals = totals_of(planted({.path = "a.h5"}));
    add(totals, totals_of(planted({.path = "b.h5", .n_decode = 20, .duration_s = 0.5})));
    EXPECT_THAT(totals.paths, ::testing::ElementsAre("a.h5", "b.h5"));
    EXPECT_THAT(totals.seconds_per_token, SizeIs(9 + 19));
    EXPECT_EQ(totals.n_warm_up_steps, 2);
    EXPECT_EQ(seconds_per_token(totals)->median, 0.5);
    EXPECT_DOUBLE_EQ(*decode_tokens_per_s(totals), 28 / (9 * 0.25 + 19 * 0.5));
}

TEST(Summary, NamesWhatANewerPillarHasRecorded) {
    trace::Trace trace = planted({});
    trace.unknown_keys = {"draft"};
    EXPECT_THAT(totals_of(trace).remarks,
                ElementsAre(HasSubstr("a newer pillar has recorded draft in /config")));
}

TEST(Summary, OfATraceWithoutStepsHasNoNumbers) {
    trace::Trace trace;
    trace.hosts.resize(1);
    trace.is_complete = true;
    const Totals totals = totals_of(trace);
    EXPECT_FALSE(seconds_per_token(totals).has_value());
    EXPECT_FALSE(decode_tokens_per_s(totals).has_value());
    EXPECT_FALSE(prompt_tokens_per_s(totals).has_value());
    EXPECT_FALSE(outside_share(totals).has_value());
    EXPECT_FALSE(megabytes_per_token(totals).has_value());
}

} // namespace
} // namespace pillar::report
