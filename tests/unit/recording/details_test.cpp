// What lies below a step's shares, from the recorder to the file: layers of every n-th step, the
// waiting of each thread, telemetry, sampling.

#include "recorder_steps.hpp"

#include "pillar/storage/reader.hpp"
#include "pillar/trace/reader.hpp"
#include "support/ranks/dry_run.hpp"
#include "support/ranks/thread_communicator.hpp"
#include "support/temporary_directory.hpp"

#include <chrono>
#include <cmath>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <thread>

namespace pillar::recording {
namespace {

using support::TemporaryDirectory;
using ::testing::ElementsAre;

constexpr double unit = 1.0 / 64;

/// A step of one layer: attention 4 units, feed-forward 6, on rank 1 one less and two more.
class LayeredStep {
  public:
    LayeredStep(std::uint64_t number, int rank) {
        const double begin_s = 10.0 + static_cast<double>(number);
        const auto at = [&](int units) { return begin_s + units * unit; };
        const int attention_end = rank == 0 ? 7 : 6, feed_forward_end = rank == 0 ? 15 : 17;
        timeline_.begin_s = begin_s;
        timeline_.end_s = at(24);
        timeline_.layers_begin_s = at(3);
        timeline_.collectives = {{begin_s, at(1), 16, CollectiveKind::broadcast},
                                 {at(attention_end), at(9), 64, CollectiveKind::allreduce},
                                 {at(feed_forward_end), at(19), 64, CollectiveKind::allreduce},
                                 {at(23), at(24), 8, CollectiveKind::gather}};
        timeline_.barrier_s = {unit * (1 + rank), unit * (2 + rank)};
        record_.step = number;
        record_.phase = engine::Phase::decode;
        record_.n_rows = 1;
        record_.propose_s = rank == 0 ? unit : 0;
        record_.sample_s = rank == 0 ? 2 * unit : 0;
        record_.timeline = &timeline_;
    }
    LayeredStep(const LayeredStep&) = delete;
    LayeredStep& operator=(const LayeredStep&) = delete;
    operator const engine::StepRecord&() const { return record_; }

  private:
    StepTimeline timeline_;
    engine::StepRecord record_;
};

/// Four steps of two ranks, layers of every second one.
class Details : public ::testing::Test {
  protected:
    Details() {
        TraceOptions options = options_for(path_);
        options.config.set<"n_layers">(1);
        options.config.set<"trace_layers">(2);
        support::ThreadWorld world(2);
        support::on_ranks(world, [&](support::ThreadCommunicator& comm) {
            Recorder recorder(comm, options);
            for (std::uint64_t n = 0; n < 4; ++n) {
                if (comm.is_root()) {
                    engine::TokenRecord chosen = token(n);
                    chosen.sample_s = 4 * unit;
                    recorder.token(chosen); // before the step is told, as the engine does
                }
                recorder.step(LayeredStep(n, comm.rank()));
                if (n == 2) recorder.gather();
            }
            recorder.finish(ExitCode::done);
        });
        trace_ = trace::read_trace(path_);
    }

    TemporaryDirectory directory_;
    std::string path_ = directory_.file("x.h5");
    trace::Trace trace_;
};

TEST_F(Details, TellOfTheLayersOfEveryNthStep) {
    ASSERT_EQ(trace_.layers.size(), 4);
    const std::uint64_t steps[] = {0, 0, 2, 2};
    for (std::size_t i = 0; i < 4; ++i) {
        const trace::LayerRow& row = trace_.layers[i];
        EXPECT_EQ(row.step, steps[i]);
        EXPECT_EQ(row.rank, i % 2);
        EXPECT_EQ(row.layer, 0);
        EXPECT_EQ(row.attention_s, (i % 2 == 0 ? 4 : 3) * unit);
        EXPECT_EQ(row.attention_wait_s, (i % 2 == 0 ? 0 : 1) * unit);
        EXPECT_EQ(row.attention_wire_s, 2 * unit);
        EXPECT_EQ(row.feed_forward_s, (i % 2 == 0 ? 6 : 8) * unit);
        EXPECT_EQ(row.feed_forward_wait_s, (i % 2 == 0 ? 2 : 0) * unit);
        EXPECT_EQ(row.feed_forward_wire_s, 2 * unit);
        EXPECT_NEAR(row.t_start_s, trace_.steps[steps[i]].t_start_s + 3 * unit, 1e-9);
    }
}

TEST_F(Details, AddUpToWhatWasComputed) {
    for (std::size_t i = 0; i < trace_.layers.size(); ++i) {
        const trace::LayerRow& row = trace_.layers[i];
        const trace::RankRow& all = trace_.at(row.step, row.rank);
        EXPECT_EQ(all.embed_s, 2 * unit);
        EXPECT_EQ(all.output_s, 4 * unit);
        EXPECT_EQ(all.embed_s + row.attention_s + row.feed_forward_s + all.output_s, all.compute_s);
    }
}

TEST_F(Details, TellHowLongEachThreadHasWaited) {
    const storage::Reader file(path_);
    EXPECT_THAT(file.shape("/threads/barrier_s"), ElementsAre(4, 4));
    EXPECT_THAT(file.column<std::uint32_t>("/threads/rank"), ElementsAre(0, 0, 1, 1));
    EXPECT_THAT(file.column<std::uint32_t>("/threads/number"), ElementsAre(0, 1, 0, 1));
    const auto barrier_s = file.column<double>("/threads/barrier_s");
    for (std::size_t step = 0; step < 4; ++step)
        for (std::size_t i = 0; i < 4; ++i)
            EXPECT_EQ(barrier_s[4 * step + i], unit * static_cast<double>(1 + i / 2 + i % 2));
}

TEST_F(Details, TellWhatProposingAndSamplingTook) {
    for (const trace::StepRow& step : trace_.steps) {
        EXPECT_EQ(step.propose_s, unit);
        EXPECT_EQ(step.sample_s, (2 + 4) * unit);
    }
}

TEST_F(Details, HaveTelemetryOfTheStartAndTheEnd) {
    std::size_t n_of_rank[2] = {};
    for (const trace::TelemetryRow& row : trace_.telemetry) {
        ASSERT_LT(row.rank, 2);
        ++n_of_rank[row.rank];
        EXPECT_GT(row.resident_bytes, std::uint64_t{1} << 20);
        EXPECT_TRUE(std::isnan(row.clock_hz) || row.clock_hz > 1e6);
    }
    EXPECT_GE(n_of_rank[0], 2);
    EXPECT_GE(n_of_rank[1], 2);
}

TEST(Telemetry, ComesOnceASecondBesideTheSteps) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("x.h5");
    const auto comm = support::make_self();
    Recorder recorder(*comm, options_for(path));
    std::this_thread::sleep_for(std::chrono::milliseconds(2300));
    recorder.finish(ExitCode::done);
    const auto rows = trace::read_trace(path).telemetry;
    ASSERT_GE(rows.size(), 3); // on a busy machine some come late
    ASSERT_LE(rows.size(), 4);
    for (std::size_t i = 1; i + 1 < rows.size(); ++i)
        EXPECT_GE(rows[i].t_s - rows[i - 1].t_s, 0.99) << i;
}

} // namespace
} // namespace pillar::recording
