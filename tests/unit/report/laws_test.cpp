// Planted answers: a serial part of a tenth, a slow rank, one that is waited for by one other only,
// a clock that is off.

#include "pillar/report/laws.hpp"
#include "pillar/report/render.hpp"

#include "planted.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace pillar::report {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;

/// T(p) = 0.25·(0.1 + 0.9/p).
std::vector<trace::Trace> tenth_serial() {
    std::vector<trace::Trace> traces;
    for (const std::uint32_t p : {1U, 2U, 4U, 8U})
        traces.push_back(planted({.path = std::to_string(p) + ".h5",
                                  .n_ranks = p,
                                  .duration_s = 0.25 * (0.1 + 0.9 / p)}));
    return traces;
}

TEST(Laws, NameASerialPartOfATenth) {
    const auto tables = scaling_tables(tenth_serial());
    const auto studies = studies_of(tables[0]);
    ASSERT_THAT(studies, SizeIs(1));
    EXPECT_EQ(studies[0].kind, Study::Kind::strong);
    const Laws laws = laws_of(tables[0], studies[0], trace::Phase::decode);
    ASSERT_TRUE(laws.amdahl && laws.time);
    EXPECT_NEAR(laws.amdahl->serial.value, 0.1, 1e-9);
    EXPECT_LT(laws.amdahl->serial.high - laws.amdahl->serial.low, 0.01);
    EXPECT_NEAR(laws.time->b.value, 0.225, 1e-9);
    EXPECT_NEAR(laws.time->c.value, 0, 1e-9);
    EXPECT_THAT(squeezed(render(tables, tables::Format::md)),
                AllOf(HasSubstr("### Laws of scaling"), HasSubstr("| s | 0.100 |")));
}

TEST(Studies, AreOfRowsThatDifferInOneSetting) {
    std::vector<trace::Trace> traces;
    for (const std::uint32_t p : {1U, 2U})
        for (const char* wire : {"f32", "q8"}) {
            traces.push_back(planted({.n_ranks = p}));
            traces.back().config.set<"wire">(wire);
            traces.back().config.set<"n_sequences">(static_cast<int>(p));
        }
    const auto tables = scaling_tables(traces);
    std::vector<std::string> names;
    for (const Study& study : studies_of(tables[0]))
        names.push_back(name_of(study) + ": " + study.alike);
    EXPECT_THAT(names, ::testing::ElementsAre("weak scaling: n_sequences=1 a rank, wire=f32",
                                              "weak scaling: n_sequences=1 a rank, wire=q8",
                                              "wire: n_sequences=1, ranks=1",
                                              "wire: n_sequences=2, ranks=2"));
}

TEST(Studies, OfContextsAndBatches) {
    std::vector<trace::Trace> traces;
    for (const int n_context : {1024, 4096, 256}) {
        traces.push_back(planted({}));
        traces.back().config.set<"n_context">(n_context);
    }
    const auto studies = studies_of(scaling_tables(traces)[0]);
    ASSERT_THAT(studies, SizeIs(1));
    EXPECT_EQ(studies[0].kind, Study::Kind::context);
    EXPECT_EQ(studies[0].points[0].label, "256");
    EXPECT_EQ(studies[0].points[2].x, 4096);
}

/// Four ranks; rank 2 waits for rank 3 alone.
trace::Trace one_waits() {
    trace::Trace trace = planted({.n_ranks = 4});
    trace.details.has_waiting = true;
    trace.details.waiting = {{trace::Phase::prefill, 1, 0, 5, 9.0, 0.01},
                             {trace::Phase::decode, 0, 1, 3, 0.01, 0.02},
                             {trace::Phase::decode, 2, 3, 20, 0.5, 0.02}};
    return trace;
}

TEST(Waiting, NamesTheOnlyRankThatWaits) {
    const auto tables = scaling_tables(std::vector{one_waits()});
    const auto most = waited_for_most(tables[0].rows[0].totals.waiting);
    ASSERT_TRUE(most);
    EXPECT_EQ(most->cause, 3u);
    EXPECT_EQ(most->only_waiter, 2u);
    EXPECT_NEAR(most->share, 0.5 / 0.51, 1e-12);
    const std::string text = squeezed(render(tables, tables::Format::md));
    EXPECT_THAT(text, HasSubstr("| 2 (pi3) alone |"));
    EXPECT_THAT(text, HasSubstr("| 2 (pi3) | – | – | – | 50.000 ± 2.000 | 50.000 ± 2.000 |"));
    EXPECT_THAT(text, HasSubstr("| 0 (pi1) | – | < 2.000 |"));
    const auto json = nlohmann::json::parse(render(tables, tables::Format::json));
    EXPECT_EQ(json["tables"][0]["rows"][0]["waiting"]["only_waiter"], 2);
}

TEST(Waiting, IsEstimatedFromTheStepsWhereItIsNotRecorded) {
    const auto tables = scaling_tables(std::vector{planted({.n_ranks = 4})}); // rank 1 is slow
    const WaitingMatrix& matrix = tables[0].rows[0].totals.waiting;
    EXPECT_TRUE(matrix.is_estimated);
    EXPECT_EQ(waited_for_most(matrix)->cause, 1u);
    EXPECT_EQ(tables[0].rows[0].totals.n_slowest[1], 9u);
    EXPECT_THAT(
        squeezed(render(tables, tables::Format::md)),
        AllOf(HasSubstr("| 1 (pi2) in 100.0 % |"), HasSubstr("have not recorded for whom")));
}

TEST(Clocks, AreNamedWithWhatIsKnownOfThem) {
    trace::Trace trace = planted({.n_ranks = 2}); // 1 + 0.75 + 9 · 0.25 s = 4 s
    trace.hosts[1].clock_uncertainty_s = 1e-5;
    trace.details.clocks.resize(2);
    trace.details.clocks[1].offset_s = -3e-3;
    trace.details.clocks[1].offset_end_s = -3e-3 - 20e-6 * 4;
    const auto tables = scaling_tables(std::vector{trace});
    EXPECT_THAT(
        render(tables, tables::Format::md),
        HasSubstr("rank 1 (pi2) was 3.000 ± 0.010 ms ahead of rank 0's at the start and ran "
                  "20.00 ± 5.00 ppm fast"));
}

TEST(Throttling, IsToldWithItsEvents) {
    trace::Trace trace = planted({.n_ranks = 1});
    trace.hosts[0].throttled = 0x50005;
    trace.details.clocks.resize(1);
    EXPECT_THAT(render(scaling_tables(std::vector{trace}), tables::Format::md),
                HasSubstr("(bits 0x50005): under-voltage at the end, throttling at the end"));
    trace.hosts[0].throttled = 0x50000;
    trace.details.clocks[0].throttled = 0x10000;
    EXPECT_THAT(render(scaling_tables(std::vector{trace}), tables::Format::md),
                HasSubstr("under-voltage already before the run, throttling during the run"));
}

TEST(Messages, OfSeveralSizesGiveLatencyAndBandwidth) {
    trace::Trace trace = planted({.n_ranks = 2});
    using Kind = trace::CollectiveRow::Kind;
    for (const std::uint32_t bytes : {1000U, 10000U, 100000U})
        trace.details.collectives.push_back(
            {trace::Phase::decode, Kind::allreduce, bytes, 100, 0, 50e-6 + 8.5e-9 * bytes, 0});
    const auto tables = scaling_tables(std::vector{trace});
    const auto fit = message_fit(tables[0].rows[0]);
    ASSERT_TRUE(fit);
    EXPECT_NEAR(fit->offset.value, 50e-6, 1e-10);
    EXPECT_NEAR(fit->slope.value, 8.5e-9, 1e-14);
    EXPECT_EQ(studies_of(tables[0]).back().kind, Study::Kind::message);
}

} // namespace
} // namespace pillar::report
