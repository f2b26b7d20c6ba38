// A meter's log beside a planted trace; joules by hand.

#include "pillar/metering/energy.hpp"

#include "pillar/core/errors.hpp"
#include "support/temporary_directory.hpp"

#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pillar::metering {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;

/// A prompt of 8 rows in 2 s, then 5 tokens, one a second.
trace::Trace planted_run() {
    trace::Trace trace;
    trace.path = "a.h5";
    trace.created = "2026-01-31T12:00:00Z";
    for (std::uint64_t i = 0; i < 6; ++i) {
        trace::StepRow step;
        step.step = i;
        step.phase = i == 0 ? trace::Phase::prefill : trace::Phase::decode;
        step.n_rows = i == 0 ? 8 : 1;
        step.t_start_s = i == 0 ? 0 : 1.0 + static_cast<double>(i);
        step.duration_s = i == 0 ? 2 : 1;
        trace.steps.push_back(step);
    }
    return trace;
}

class Log : public ::testing::Test {
  protected:
    MeterLog log(const std::string& text, std::optional<double> zone_s = std::nullopt) {
        std::ofstream(directory_.file("m.csv")) << text;
        return read_meter(directory_.file("m.csv"), zone_s);
    }
    /// Every second from 11:59:59 on: 6 W, from `more_from` s on 8 W.
    static std::string every_second(const std::string& zone, int hour = 11, int without = -1) {
        std::string text = "time,power (W)\n";
        for (int s = 0; s < 12; ++s) {
            if (s >= without && without >= 0 && s < without + 4) continue;
            const int second = 59 + s;
            char line[64];
            std::snprintf(line, sizeof line, "2026-01-31T%02d:%02d:%02d%s,%d\n",
                          hour + second / 60 / 60 + (second >= 60 ? 1 : 0), second >= 60 ? 0 : 59,
                          second % 60, zone.c_str(), s < 3 ? 6 : 8);
            text += line;
        }
        return text;
    }
    std::string refusal_of(const std::string& text) {
        try {
            (void)energy_of(planted_run(), log(text), true);
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ExitCode::bad_data);
            return error.what();
        }
        return "nothing was thrown";
    }
    support::TemporaryDirectory directory_;
};

TEST_F(Log, GivesJoulesOfPromptAndDecodeApart) {
    // Samples at 11:59:59 + s. The prompt is s = 1 … 3 (6 W, rising to 8 W in the second second):
    // 6 + 7 = 13 J. Decode steps at 8 W; the first one is warm-up.
    const Energy energy = energy_of(planted_run(), log(every_second("Z")), true);
    EXPECT_DOUBLE_EQ(energy.all.prompt.joules, 13);
    EXPECT_EQ(energy.all.prompt.n_tokens, 8u);
    EXPECT_DOUBLE_EQ(energy.all.decode.joules, 32);
    EXPECT_EQ(energy.all.decode.n_tokens, 4u);
    EXPECT_DOUBLE_EQ(energy.all.decode.seconds, 4);
    EXPECT_THAT(energy.nodes, SizeIs(0));
    EXPECT_THAT(energy.remarks, SizeIs(0));
}

TEST_F(Log, KnowsZones) {
    EXPECT_DOUBLE_EQ(
        energy_of(planted_run(), log(every_second("+01:00", 12)), true).all.decode.joules, 32);
    EXPECT_DOUBLE_EQ(
        energy_of(planted_run(), log(every_second("", 12), 3600.0), true).all.decode.joules, 32);
    const Energy assumed = energy_of(planted_run(), log(every_second("")), true);
    EXPECT_THAT(assumed.remarks, SizeIs(1));
    EXPECT_THAT(refusal_of(every_second("", 13)),
                AllOf(HasSubstr("2026-01-31 13:59:59 UTC"), HasSubstr("--power-zone +02:00")));
    EXPECT_THAT(refusal_of(every_second("Z", 13)), HasSubstr("times of the zone +02:00 would fit"));
}

TEST_F(Log, LeavesStepsInGapsOut) {
    // Samples of 5 to 8 are missing: nothing between 4 and 9, the decode steps at 4 … 8 are out.
    const Energy energy = energy_of(planted_run(), log(every_second("Z", 11, 6)), true);
    EXPECT_DOUBLE_EQ(energy.all.prompt.joules, 13);
    EXPECT_EQ(energy.all.decode.n_steps, 1u);
    EXPECT_EQ(energy.all.decode.n_steps_in_gaps, 3u);
    EXPECT_DOUBLE_EQ(energy.all.decode.joules, 8);
    ASSERT_THAT(energy.remarks, SizeIs(1));
    EXPECT_THAT(energy.remarks[0], HasSubstr("3 steps of 6 lie in gaps"));
}

TEST_F(Log, ReadsSeveralNodesAndTheirTotal) {
    const std::string text = "unix;pi1_w;pi2 [mW];voltage;total_w\n"
                             "1769860799;3;2000;5.1;9\n1769860820;3;2000;5.1;9\n";
    const Energy energy = energy_of(planted_run(), log(text), false);
    ASSERT_THAT(energy.nodes, SizeIs(3));
    EXPECT_EQ(energy.nodes[0].name, "pi1");
    EXPECT_DOUBLE_EQ(energy.nodes[0].decode.joules, 15);
    EXPECT_DOUBLE_EQ(energy.nodes[1].decode.joules, 10);
    EXPECT_DOUBLE_EQ(energy.all.decode.joules, 45); // the total's, not the sum of all columns
}

TEST_F(Log, RefusesWhatItCannotRead) {
    EXPECT_THAT(refusal_of(""), HasSubstr("is empty"));
    EXPECT_THAT(refusal_of("time,voltage,current\n"), HasSubstr("no column of watts"));
    EXPECT_THAT(refusal_of("time,w\nyesterday,3\n"),
                AllOf(HasSubstr("line 2"), HasSubstr("no time")));
    EXPECT_THAT(refusal_of("time,w\n2026-02-30T12:00:00Z,3\n"), HasSubstr("no time"));
    EXPECT_THAT(refusal_of("time,w\n1769860799,much\n"), HasSubstr("no number"));
    EXPECT_THAT(refusal_of("time,w\n1769860799,-3\n"), HasSubstr("no power of a node"));
    EXPECT_THAT(refusal_of("time,w\n1769860799,3,4\n"), HasSubstr("3 fields instead of 2"));
    EXPECT_THAT(refusal_of("time,w\n1769860799,3\n1769860799,3\n"),
                HasSubstr("not after the line"));
    EXPECT_THAT(refusal_of("time,w\n1769860799,3\n"), HasSubstr("fewer than two samples"));
}

} // namespace
} // namespace pillar::metering
