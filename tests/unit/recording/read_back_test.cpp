// What the reader of traces gives back of a run that was recorded.

#include "pillar/recording/convert.hpp"
#include "pillar/trace/reader.hpp"
#include "support/column_of.hpp"
#include "support/planted_trace.hpp"
#include "support/temporary_directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pillar::recording {
namespace {

using support::column_of;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ReadBack, IsThePlantedRun) {
    const support::TemporaryDirectory directory;
    const std::string path = directory.file("x.h5");
    support::write_planted_run(path + ".journal");
    recover(path + ".journal", false);
    const trace::Trace trace = trace::read_trace(path);
    EXPECT_TRUE(trace.is_complete);
    EXPECT_EQ(trace.created, "2025-12-31T23:59:59Z");
    EXPECT_EQ(trace.config.text<"model">(), "tiny");
    EXPECT_EQ(trace.config.get<"n_layers">(), 2);
    EXPECT_EQ(trace.config.get<"temperature">(), 0.5);
    EXPECT_EQ(trace.config.get<"dim">(), std::nullopt);
    EXPECT_THAT(trace.unknown_keys, IsEmpty());
    EXPECT_THAT(trace.split_shares(), ElementsAre(1, 1.5));
    EXPECT_EQ(trace.hosts[1].share.layer_bytes, 1100);
    EXPECT_EQ(trace.hosts[1].hostname, "pi2");
    EXPECT_THAT(column_of(trace.steps, &trace::StepRow::step), ElementsAre(0, 1, 2));
    EXPECT_THAT(column_of(trace.steps, &trace::StepRow::phase),
                ElementsAre(engine::Phase::prefill, engine::Phase::decode, engine::Phase::decode));
    EXPECT_THAT(column_of(trace.ranks, &trace::RankRow::wait_s),
                ElementsAre(0, 0.25, 0, 0.25, 0, 0.25));
    EXPECT_THAT(column_of(trace.steps, &trace::StepRow::trace_bytes), ElementsAre(120, 150, 0));
    EXPECT_THAT(column_of(trace.steps, &trace::StepRow::n_attended), ElementsAre(15, 6, 7));
    EXPECT_THAT(column_of(trace.steps, &trace::StepRow::n_cached), ElementsAre(5, 6, 7));
    EXPECT_THAT(column_of(trace.steps, &trace::StepRow::request_bytes), ElementsAre(16, 16, 16));
    EXPECT_THAT(column_of(trace.steps, &trace::StepRow::reply_bytes), ElementsAre(24, 24, 24));
}

} // namespace
} // namespace pillar::recording
