// Predictions of planted steps, against numbers worked out by hand.

#include "pillar/report/prediction.hpp"

#include "pillar/report/render.hpp"
#include "planted.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits>
#include <nlohmann/json.hpp>

namespace pillar::report {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

perf::MachineProfile round_numbers() {
    perf::MachineProfile p;
    p.name = "round";
    p.read_bytes_per_s = 4e9;
    p.read_efficiency = 0.5;
    p.macs_per_s = 10e9;
    p.mac_efficiency = 0.5;
    p.float_macs_per_s = 2e9;
    p.float_efficiency = 0.5;
    p.barrier_s = 1e-6;
    p.network.latency_s = 100e-6;
    p.network.s_per_byte = 10e-9;
    p.network.s_per_byte_both_ways = 20e-9;
    p.network.message_overhead_s = 10e-6;
    p.network.store_and_forward_s_per_byte = 0;
    p.network.jitter_s = 5e-6;
    p.network.reduction = {0, 0, 0};
    return p;
}

/// Two ranks, two layers, a vector of 1000 floats: 8 rows of a prompt, then a row a step. Their
/// counters say what such steps send.
trace::Trace recorded(Plan plan = {}) {
    plan.n_ranks = 2;
    trace::Trace trace = planted(plan);
    trace.config.set<"n_layers">(2);
    trace.config.set<"dim">(1000);
    trace.config.set<"head_dim">(10);
    trace.config.set<"allreduce">("auto");
    trace.config.set<"allreduce_decode">("direct");
    trace.config.set<"allreduce_prompt">("direct");
    trace.config.set<"allreduce_border_bytes">(0);
    trace.config.set<"wire">("f32");
    for (std::size_t rank = 0; rank < 2; ++rank) {
        trace::RankShare& share = trace.hosts[rank].share;
        share.layer_bytes = rank == 0 ? 2000000 : 1000000;
        share.heads_bytes = 500000;
        share.output_bytes = 200000;
        share.layer_macs = 1000000;
        share.output_macs = 200000;
        share.kv_bytes = 400;
        share.n_heads = 1;
    }
    for (std::size_t i = 0; i < trace.n_steps(); ++i) {
        trace::StepRow& step = trace.steps[i];
        step.n_cached = 8 + i;
        step.n_attended = i == 0 ? 36 : 8 + i;
        step.request_bytes = 50;
        step.reply_bytes = 92; // and 8 before it
        trace.ranks[2 * i].bytes_sent = 4 * std::uint64_t{step.n_rows} * 4000 + 50;
        trace.ranks[2 * i + 1].bytes_sent = 4 * std::uint64_t{step.n_rows} * 4000 + 100;
        trace.ranks[2 * i].messages_sent = trace.ranks[2 * i + 1].messages_sent = 5;
    }
    return trace;
}

std::vector<std::string> remarks_on(const trace::Trace& trace) {
    std::vector<std::string> remarks;
    (void)predict(trace, round_numbers(), remarks);
    return remarks;
}

Prediction prediction_of(const trace::Trace& trace) {
    std::vector<std::string> remarks;
    return predict(trace, round_numbers(), remarks).value();
}

/// Nine steps of 9 + 1 to 9 + 9 positions count, 14 in the mean.
TEST(Prediction, OfDecodeStepsIsTheModelsOfTheirPositions) {
    const Comparison sums = prediction_of(recorded()).decode;
    EXPECT_EQ(sums.n_steps, 9);
    EXPECT_NEAR(sums.predicted.matrices_s / 9, 1.1e-3, 1e-12);  // 2.2e6 / 2e9, rank 0
    EXPECT_NEAR(sums.predicted.attention_s / 9, 1.4e-6, 1e-12); // 14 · 400 / 4e9
    EXPECT_NEAR(sums.predicted.barriers_s / 9, 10e-6, 1e-12);   // 5 a layer for one row
    EXPECT_NEAR(sums.predicted.latency_s / 9, 4 * 105e-6 + 200e-6, 1e-12);
    EXPECT_NEAR(sums.predicted.bandwidth_s / 9, 4 * 4000 * 20e-9 + 150 * 10e-9, 1e-12);
    EXPECT_NEAR(sums.predicted_computing_s() / 9, 1.1114e-3, 1e-12);
    EXPECT_NEAR(sums.predicted_messages_s() / 9, 941.5e-6, 1e-12);
    EXPECT_EQ(sums.predicted_traffic.bytes_sent, 9 * 32150);
    EXPECT_EQ(sums.predicted_traffic.messages_sent, 9 * 10);
    EXPECT_TRUE(sums.counts_agree());
}

/// One of the two layers sees 4 positions of 9 + 1 to 9 + 9.
TEST(Prediction, KnowsLayersWithAWindow) {
    trace::Trace trace = recorded();
    trace.config.set<"window">(4);
    trace.config.set<"n_window_layers">(1);
    const Comparison sums = prediction_of(trace).decode;
    EXPECT_NEAR(sums.predicted.attention_s / 9, 0.9e-6, 1e-12); // (14 + 4) / 2 · 400 / 4e9
}

/// One of the two layers exchanges two sums of squares a row before its scores.
TEST(Prediction, KnowsLayersWithAJointNorm) {
    trace::Trace trace = recorded();
    const auto bytes_of = [&] { return prediction_of(trace).decode.predicted_traffic; };
    const Traffic without = bytes_of();
    trace.config.set<"n_joint_norm_layers">(1);
    EXPECT_EQ(bytes_of().bytes_sent - without.bytes_sent, 9u * 2 * 2 * 4);
    EXPECT_EQ(bytes_of().messages_sent - without.messages_sent, 9u * 2);
}

/// A vector of 1000 comes in with each of four sums.
TEST(Prediction, CountsAddingWithTheMessages) {
    perf::MachineProfile profile = round_numbers();
    profile.network.reduction.f32_s = 1e-9;
    const std::vector<trace::Trace> traces{recorded()};
    const auto tables = scaling_tables(traces, &profile);
    const Comparison& sums = tables[0].rows[0].prediction->decode;
    EXPECT_NEAR(sums.predicted.reduction_s / 9, 4e-6, 1e-12);
    EXPECT_NEAR(sums.predicted_messages_s() / 9, 945.5e-6, 1e-12);
    const auto all = nlohmann::json::parse(render(tables, tables::Format::json));
    const auto& decode = all["tables"][0]["rows"][0]["prediction"]["decode"];
    EXPECT_NEAR(decode["predicted"]["summing_s"], 4e-6, 1e-12);
}

TEST(Prediction, OfAPromptHasItsRows) {
    const Comparison sums = prediction_of(recorded()).prompt;
    EXPECT_EQ(sums.n_steps, 1);
    EXPECT_NEAR(sums.predicted.matrices_s, 1.64e-3, 1e-12);  // 8 · 1e6 + 2e5, / 5e9
    EXPECT_NEAR(sums.predicted.attention_s, 1.44e-6, 1e-12); // 2 · 36 · 2 · 10 / 1e9
    EXPECT_NEAR(sums.predicted.bandwidth_s, 4 * 32000 * 20e-9 + 150 * 10e-9, 1e-12);
    EXPECT_NEAR(sums.predicted.barriers_s, 14e-6, 1e-12); // 7 a layer
    EXPECT_NEAR(sums.predicted.total(), 4836.94e-6, 1e-12);
    EXPECT_TRUE(sums.predicted.arithmetic_bound);
    EXPECT_TRUE(sums.counts_agree());
}

TEST(Prediction, StandsBesideTheStepsOfTheRankThatComputesLongest) {
    const Prediction prediction = prediction_of(recorded());
    EXPECT_DOUBLE_EQ(prediction.decode.step_s, 9 * 0.25);
    EXPECT_DOUBLE_EQ(prediction.decode.computing_s(), 9 * 0.15625);
    EXPECT_DOUBLE_EQ(prediction.decode.messages_s(), 9 * 0.09375);
    EXPECT_EQ(prediction.decode.counted.bytes_sent, 9 * 32150);
    EXPECT_DOUBLE_EQ(prediction.prompt.step_s, 1);
    EXPECT_EQ(prediction.profile, "round");
    ASSERT_THAT(prediction.seconds_per_token, SizeIs(9));
    EXPECT_NEAR(prediction.seconds_per_token[0], 2051.5e-6 + 10e-7, 1e-12);
}

TEST(Prediction, OfABatchIsDividedAmongItsTokens) {
    trace::Trace trace = recorded({.n_decode = 1});
    trace.steps[1].n_rows = 4;
    // Four vectors a message: 4 · 16000 · 20e-9 instead of 4 · 4000 · 20e-9
    EXPECT_NEAR(prediction_of(trace).seconds_per_token.at(0), (2051.5e-6 + 9e-7 + 960e-6) / 4,
                1e-12);
}

TEST(Prediction, LeavesOutStepsOfWhichARecordIsMissing) {
    trace::Trace trace = recorded();
    trace.ranks.back().compute_s = std::numeric_limits<double>::quiet_NaN();
    EXPECT_EQ(prediction_of(trace).decode.n_steps, 8);
    EXPECT_DOUBLE_EQ(prediction_of(trace).decode.step_s, 8 * 0.25);
}

TEST(Prediction, SaysWhenCountersDiffer) {
    trace::Trace trace = recorded();
    trace.ranks.back().bytes_sent -= 12;
    const Comparison sums = prediction_of(trace).decode;
    EXPECT_FALSE(sums.counts_agree());
    const perf::MachineProfile profile = round_numbers();
    EXPECT_THAT(
        render(scaling_tables(std::span(&trace, 1), &profile), tables::Format::md),
        AllOf(HasSubstr("2 × 4, decode: 289338 bytes in 90 messages were counted, 289350 in "
                        "90 predicted"),
              Not(HasSubstr("exactly those predicted"))));
}

TEST(Prediction, OfATraceWithoutWhatStepsCostIsNothing) {
    std::vector<std::string> remarks;
    EXPECT_FALSE(predict(planted({}), round_numbers(), remarks).has_value());
    trace::Trace trace = recorded();
    trace.steps[3].n_cached = 0;
    EXPECT_FALSE(predict(trace, round_numbers(), remarks).has_value());
    EXPECT_THAT(remarks,
                ElementsAre(HasSubstr("a.h5: no prediction"), HasSubstr("a.h5: no prediction")));
}

TEST(Prediction, SaysWhatTheProfileDoesNotDescribe) {
    EXPECT_THAT(remarks_on(recorded()), IsEmpty());
    trace::Trace trace = recorded();
    trace.hosts[1].hostname = trace.hosts[0].hostname;
    EXPECT_THAT(remarks_on(trace), ElementsAre(HasSubstr("ranks shared nodes, 2 on 1;")));
    trace = recorded();
    trace.hosts[1].n_threads = 3;
    EXPECT_THAT(remarks_on(trace),
                ElementsAre(HasSubstr("threads of a rank: 3, of the profile: 4")));
    const auto remarks_with = [](auto change) {
        trace::Trace changed = recorded();
        change(changed);
        return remarks_on(changed);
    };
    EXPECT_THAT(remarks_with([](trace::Trace& one) {
                    one.hosts[0].share.split_share = 0.3;
                    one.hosts[1].share.split_share = 0.7;
                }),
                ElementsAre(HasSubstr("the split was uneven")));
    EXPECT_THAT(
        remarks_with([](trace::Trace& one) { one.config.set<"emulate_network">("50,8.5"); }),
        ElementsAre(HasSubstr("the network was emulated")));
    EXPECT_THAT(remarks_with([](trace::Trace& one) { one.config.set<"allreduce">("mpi"); }),
                ElementsAre(HasSubstr("counted and predicted as recursive doubling")));
    EXPECT_THAT(remarks_with([](trace::Trace& one) { one.config.set<"kernels">("reference"); }),
                ElementsAre(HasSubstr("reference kernels multiply floats")));
}

TEST(ScalingTable, HasThePredictionOfAllRunsOfARow) {
    const std::vector<trace::Trace> traces{recorded({.path = "a.h5"}),
                                           recorded({.path = "b.h5", .duration_s = 0.5})};
    const perf::MachineProfile profile = round_numbers();
    const auto tables = scaling_tables(traces, &profile);
    ASSERT_THAT(tables[0].rows, SizeIs(1));
    const ScalingRow& row = tables[0].rows[0];
    EXPECT_EQ(row.prediction->decode.n_steps, 18);
    EXPECT_DOUBLE_EQ(row.prediction->decode.step_s, 9 * 0.25 + 9 * 0.5);
    EXPECT_DOUBLE_EQ(row.prediction->decode.computing_s(), 9 * 0.15625 + 9 * 0.3125);
    EXPECT_TRUE(row.prediction->decode.counts_agree());
    EXPECT_EQ(row.prediction->prompt.n_steps, 2);
    EXPECT_NEAR(*row.predicted_s_per_token, 2052.9e-6, 1e-12); // of 14 positions
    EXPECT_FALSE(scaling_tables(traces)[0].rows[0].prediction.has_value());
}

TEST(ScalingTable, KeepsThePredictionOfTheRunsThatHaveOne) {
    const std::vector<trace::Trace> traces{planted({.path = "old.h5", .n_ranks = 2}), recorded()};
    std::vector<trace::Trace> alike = traces;
    alike[0].config = traces[1].config; // and nothing of its ranks' costs
    const perf::MachineProfile profile = round_numbers();
    const auto tables = scaling_tables(alike, &profile);
    ASSERT_THAT(tables[0].rows, SizeIs(1));
    EXPECT_EQ(tables[0].rows[0].prediction->decode.n_steps, 9);
    EXPECT_THAT(tables[0].rows[0].totals.remarks, ElementsAre(HasSubstr("old.h5: no prediction")));
}

TEST(Markdown, PutsThePredictionBesideTheSteps) {
    const std::vector<trace::Trace> traces{recorded()};
    const perf::MachineProfile profile = round_numbers();
    const std::string text = squeezed(render(scaling_tables(traces, &profile), tables::Format::md));
    EXPECT_THAT(text, HasSubstr("with the profile \"round\""));
    EXPECT_THAT(text,
                HasSubstr("| 2 × 4 | decode | 9 | 250.0 | 2.053 | 121.78 | 156.2 | 1.111 | 140.59 "
                          "| 93.75 | 0.9415 | 99.58 | 32.150 | 10.0 | 32.150 | 10.0 |\n"));
    EXPECT_THAT(text, HasSubstr("| 2 × 4 | prompt | 1 | 1000"));
    EXPECT_THAT(
        text,
        HasSubstr("Bytes and messages that the ranks counted are exactly those predicted.\n"));
    EXPECT_THAT(text, HasSubstr("| 0.2500 | 0.2500 … 0.2500 | 0.002053 |")); // beside s/token
    EXPECT_THAT(render(scaling_tables(traces), tables::Format::md), Not(HasSubstr("predicted")));
}

TEST(Json, HasThePredictionInParts) {
    const std::vector<trace::Trace> traces{recorded()};
    const perf::MachineProfile profile = round_numbers();
    const auto all =
        nlohmann::json::parse(render(scaling_tables(traces, &profile), tables::Format::json));
    const auto& row = all["tables"][0]["rows"][0];
    const auto& decode = row["prediction"]["decode"];
    EXPECT_EQ(decode["steps"], 9);
    EXPECT_EQ(decode["measured"]["step_s"], 0.25);
    EXPECT_EQ(decode["measured"]["bytes_sent"], 32150);
    EXPECT_NEAR(decode["predicted"]["matrices_s"], 1.1e-3, 1e-12);
    EXPECT_NEAR(decode["predicted"]["step_s"], 2052.9e-6, 1e-12);
    EXPECT_NEAR(decode["ratio"]["computing"], 0.15625 / 1.1114e-3, 1e-6);
    EXPECT_EQ(decode["counts_agree"], true);
    EXPECT_EQ(row["prediction"]["prompt"]["steps"], 1);
    EXPECT_FALSE(nlohmann::json::parse(
                     render(scaling_tables(traces), tables::Format::json))["tables"][0]["rows"][0]
                     .contains("prediction"));
}

TEST(Csv, AppendsColumnsOnlyForAPrediction) {
    const std::vector<trace::Trace> traces{recorded()};
    const perf::MachineProfile profile = round_numbers();
    const std::string plain = render(scaling_tables(traces), tables::Format::csv);
    const std::string text = render(scaling_tables(traces, &profile), tables::Format::csv);
    EXPECT_THAT(plain, HasSubstr(",slowest_in_steps,n_proposed,n_accepted,tokens_per_step\n"));
    EXPECT_THAT(text, HasSubstr(",tokens_per_step,decode_steps,decode_step_s,"));
    EXPECT_THAT(text, HasSubstr(",prompt_predicted_messages_per_step\n"));
    EXPECT_THAT(text, HasSubstr(",9,0.25,0.15625,0.09375,32150,10,"));
    const auto n_fields = [](const std::string& csv, std::size_t begin, std::size_t end) {
        return std::count(csv.begin() + static_cast<long>(begin),
                          csv.begin() + static_cast<long>(end), ',');
    };
    const std::size_t end = text.find('\n');
    EXPECT_EQ(n_fields(text, 0, end), n_fields(text, end, text.size()));
}

} // namespace
} // namespace pillar::report
