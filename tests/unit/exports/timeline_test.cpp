// Spans of planted steps: sums one after another, layers where they were, nothing before the end of
// the step before.

#include "timeline.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pillar::exports {
namespace {

using ::testing::ElementsAre;
using What = Span::What;

constexpr Nanoseconds second = 1'000'000'000;

trace::RankRow row_of(double compute_s, double wait_s, double wire_s) {
    trace::RankRow row;
    row.compute_s = compute_s;
    row.wait_s = wait_s;
    row.wire_s = wire_s;
    return row;
}

/// "attention 10 14": seconds
std::vector<std::string> texts_of(const RankSpans& rank) {
    std::vector<std::string> texts;
    for (const Span& span : rank.spans)
        texts.push_back(std::string(span.kind == Kind::compute ? ""
                                    : span.kind == Kind::wait  ? "wait "
                                                               : "wire ") +
                        name_of(span) + " " + std::to_string(span.begin / second) + " " +
                        std::to_string(span.end / second));
    return texts;
}

class PlantedTimeline : public ::testing::Test {
  protected:
    PlantedTimeline() {
        trace_.hosts.resize(2);
        trace_.steps.resize(2);
        trace_.steps[0].t_start_s = 10;
        trace_.steps[1].step = 1;
        trace_.steps[1].t_start_s = 40;
        trace_.ranks = {row_of(4, 0, 2), row_of(1, 3, 2), row_of(15, 3, 7), row_of(8, 11, 6)};
        for (std::size_t i = 2; i < 4; ++i) {
            trace_.ranks[i].embed_s = 2;
            trace_.ranks[i].output_s = i == 2 ? 4 : 2;
        }
        //                     step rank layer t  att wait wire ff wait wire
        trace_.layers = {{1, 0, 0, 43, 5, 0, 1, 4, 2, 1}, {1, 1, 0, 44, 3, 2, 1, 1, 5, 1}};
    }
    trace::Trace trace_;
};

TEST_F(PlantedTimeline, PutsSumsOneAfterAnother) {
    Timeline timeline(trace_);
    const auto& ranks = timeline.step(0);
    EXPECT_THAT(texts_of(ranks[0]), ElementsAre("computing 10 14", "wire wire 14 16"));
    EXPECT_THAT(texts_of(ranks[1]),
                ElementsAre("computing 10 11", "wait waiting 11 14", "wire wire 14 16"));
    EXPECT_FALSE(ranks[0].has_layers);
}

TEST_F(PlantedTimeline, PutsLayersWhereTheyWere) {
    Timeline timeline(trace_);
    (void)timeline.step(0);
    const auto& ranks = timeline.step(1);
    EXPECT_TRUE(ranks[0].has_layers);
    // Of the wire 5 are not the layers': 1 before the embedding, 4 at the end, where 1 was waiting.
    EXPECT_THAT(texts_of(ranks[0]),
                ElementsAre("wire request 40 41", "embedding 41 43", "attention 43 48",
                            "wire all-reduce 1 48 49", "feed-forward 49 53",
                            "wait all-reduce 2 53 55", "wire all-reduce 2 55 56", "output 56 60",
                            "wait reply 60 61", "wire reply 61 65"));
    EXPECT_THAT(texts_of(ranks[1]),
                ElementsAre("wait request 40 42", "embedding 42 44", "attention 44 47",
                            "wait all-reduce 1 47 49", "wire all-reduce 1 49 50",
                            "feed-forward 50 51", "wait all-reduce 2 51 56",
                            "wire all-reduce 2 56 57", "output 57 59", "wait reply 59 61",
                            "wire reply 61 65"));
}

TEST_F(PlantedTimeline, PutsLayersWhereTheyWereAlsoAfterALateEnd) {
    trace_.ranks[1].wire_s = 28; // lost its core as it sent its reply: until 42
    trace_.ranks[3].wait_s -= 2;
    Timeline timeline(trace_);
    (void)timeline.step(0);
    const RankSpans& late = timeline.step(1)[1];
    EXPECT_EQ(late.begin, 42 * second);
    EXPECT_EQ(late.end, 65 * second);
    EXPECT_EQ(texts_of(late).front(), "embedding 42 44");
    EXPECT_EQ(texts_of(late)[1], "attention 44 47");
}

TEST_F(PlantedTimeline, LetsARankComeLate) {
    trace_.ranks[3].wait_s -= 2; // it had not waited for the request, which came at once
    trace_.layers[1].t_start_s = 46;
    Timeline timeline(trace_);
    (void)timeline.step(0);
    const RankSpans& late = timeline.step(1)[1];
    EXPECT_EQ(late.begin, 40 * second);
    EXPECT_EQ(texts_of(late)[2], "embedding 44 46");
    trace_.layers[1].t_start_s = 60;
    Timeline later(trace_);
    (void)later.step(0);
    const RankSpans& latest = later.step(1)[1];
    EXPECT_EQ(latest.begin, 52 * second); // all it waited and sent besides is 6 s
    EXPECT_EQ(texts_of(latest)[2], "embedding 58 60");
    EXPECT_EQ(texts_of(latest)[3], "attention 60 63");
}

TEST_F(PlantedTimeline, ShowsWhatWasComputedBeforeTheRequest) {
    trace_.ranks[2].compute_s += 1;
    trace_.ranks[2].wire_s -= 1;
    Timeline timeline(trace_);
    (void)timeline.step(0);
    EXPECT_EQ(texts_of(timeline.step(1)[0]).front(), "preparing 40 41");
}

TEST_F(PlantedTimeline, BeginsNoStepBeforeTheEndOfTheLast) {
    trace_.steps[1].t_start_s = 15; // clocks were off by a second
    for (trace::LayerRow& layer : trace_.layers) layer.t_start_s -= 25;
    Timeline timeline(trace_);
    const Nanoseconds end = timeline.step(0)[0].end;
    EXPECT_EQ(end, 16 * second);
    EXPECT_EQ(timeline.step(1)[0].begin, end);
}

TEST_F(PlantedTimeline, HasNothingOfARankWhoseRecordIsMissing) {
    trace_.ranks[1] = row_of(trace::missing_number, trace::missing_number, trace::missing_number);
    Timeline timeline(trace_);
    EXPECT_TRUE(timeline.step(0)[1].spans.empty());
    EXPECT_FALSE(timeline.step(1)[1].spans.empty());
}

TEST(EndOfPart, PutsWaitingAndWireOfACollectiveTogether) {
    const std::vector<Span> spans{
        {0, 1, Kind::compute, What::attention, 0}, {1, 2, Kind::wait, What::attention, 0},
        {2, 3, Kind::wire, What::attention, 0},    {3, 4, Kind::wire, What::feed_forward, 0},
        {4, 5, Kind::wait, What::all, 0},          {5, 6, Kind::wire, What::all, 0}};
    EXPECT_EQ(end_of_part(spans, 0), 1);
    EXPECT_EQ(end_of_part(spans, 1), 3);
    EXPECT_EQ(end_of_part(spans, 3), 4);
    EXPECT_EQ(end_of_part(spans, 4), 5);
}

} // namespace
} // namespace pillar::exports
