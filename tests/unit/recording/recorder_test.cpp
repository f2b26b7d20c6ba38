// The recorder on one rank and on several: what goes in comes out.

#include "pillar/recording/recorder.hpp"

#include "recorder_steps.hpp"
#include "support/column_of.hpp"
#include "support/memory_requests.hpp"
#include "support/ranks/dry_run.hpp"

#include "pillar/storage/reader.hpp"
#include "pillar/trace/reader.hpp"
#include "support/ranks/thread_communicator.hpp"
#include "support/temporary_directory.hpp"

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <mutex>

namespace pillar::recording {
namespace {

using support::column_of;
using support::TemporaryDirectory;
using ::testing::HasSubstr;

TEST(Recorder, LeavesAFileAndNoJournalAfterAnOrderlyEnd) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("x.h5");
    const auto comm = support::make_self();
    Recorder recorder(*comm, options_for(path));
    EXPECT_TRUE(std::filesystem::exists(path + ".journal"));
    for (std::uint64_t n = 0; n < 3; ++n) {
        recorder.step(Step(n, static_cast<double>(n)));
        recorder.token(token(n));
    }
    recorder.gather();
    recorder.step(Step(3, 3.0));
    recorder.sequence({0, "p", "c", 1, 3, 0.5, engine::FinishReason::stop});
    EXPECT_TRUE(recorder.finish(ExitCode::done));
    EXPECT_FALSE(std::filesystem::exists(path + ".journal"));
    const trace::Trace trace = trace::read_trace(path);
    EXPECT_TRUE(trace.is_complete);
    EXPECT_EQ(trace.n_steps(), 4);
    EXPECT_EQ(trace.n_ranks(), 1);
    EXPECT_EQ(trace.hosts[0].n_threads, 2);
    EXPECT_EQ(column_of(trace.steps, &trace::StepRow::duration_s), std::vector<double>(4, 0.5));
    EXPECT_EQ(column_of(trace.ranks, &trace::RankRow::compute_s), std::vector<double>(4, 0.3125));
    EXPECT_EQ(column_of(trace.ranks, &trace::RankRow::bytes_sent),
              std::vector<std::uint64_t>(4, 100));
    EXPECT_GT(trace.steps[2].trace_s, 0); // the gather
    EXPECT_EQ(trace.steps[1].trace_s, 0);
    const storage::Reader reader(path);
    EXPECT_EQ(reader.column<std::int32_t>("/tokens/id"), std::vector<std::int32_t>(3, 7));
    EXPECT_EQ(reader.texts("/sequences/completion"), std::vector<std::string>{"c"});
    EXPECT_FALSE(reader.texts("/hosts/hostname")[0].empty());
}

TEST(Recorder, GathersEveryRanksRecordsOnRankZero) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("x.h5");
    support::ThreadWorld world(3);
    world.offsets = {{0, 0}, {-100, 0.001}, {-200, 0.001}};
    std::mutex mutex;
    std::uint64_t bytes_sent = 0;
    support::on_ranks(world, [&](support::ThreadCommunicator& comm) {
        Recorder recorder(comm, options_for(path));
        for (std::uint64_t n = 0; n < 5; ++n) {
            recorder.step(Step(n, 100.0 * comm.rank() + static_cast<double>(n), comm.rank()));
            if (n % 2 == 1) recorder.gather();
        }
        EXPECT_EQ(recorder.finish(ExitCode::done), comm.is_root());
        const std::scoped_lock lock(mutex);
        bytes_sent += comm.other_traffic().bytes_sent;
    });
    const trace::Trace trace = trace::read_trace(path);
    EXPECT_TRUE(trace.is_complete);
    ASSERT_EQ(trace.n_steps(), 5);
    ASSERT_EQ(trace.n_ranks(), 3);
    EXPECT_EQ(trace.hosts[2].hostname, "host2");
    EXPECT_EQ(trace.hosts[2].clock_uncertainty_s, 0.001);
    std::uint64_t counted = 0;
    for (std::size_t n = 0; n < 5; ++n) {
        for (std::size_t rank = 0; rank < 3; ++rank) {
            EXPECT_EQ(trace.at(n, rank).bytes_sent, 100 + rank);
            EXPECT_EQ(trace.at(n, rank).wait_s, 0); // all came at once
            EXPECT_EQ(trace.at(n, rank).compute_s, 0.3125);
        }
        counted += trace.steps[n].trace_bytes;
    }
    const auto setup = storage::Reader(path).attribute("/steps", "setup_trace_bytes").value();
    counted += static_cast<std::uint64_t>(std::get<std::int64_t>(setup));
    // All but the agreement before the start and the last exchange, which carries the counts.
    const std::uint64_t last_exchange = 2 * (4 + 24 + 8 + 7 * 8);
    EXPECT_EQ(counted + last_exchange, bytes_sent);
}

TEST(Recorder, WantsAGatherAfter64StepsOr5SecondsOrWhenItsRingFills) {
    const TemporaryDirectory directory;
    const auto comm = support::make_self();
    Recorder by_steps(*comm, options_for(directory.file("a.h5")));
    for (std::uint64_t n = 0; n < 64; ++n) {
        EXPECT_FALSE(by_steps.wants_gather()) << n;
        by_steps.step(Step(n, 0.01 * static_cast<double>(n)));
    }
    EXPECT_TRUE(by_steps.wants_gather());
    by_steps.gather();
    EXPECT_FALSE(by_steps.wants_gather());

    Recorder by_time(*comm, options_for(directory.file("b.h5")));
    by_time.step(Step(0, 0.0));
    by_time.step(Step(1, 4.0));
    EXPECT_FALSE(by_time.wants_gather());
    by_time.step(Step(2, 4.5));
    EXPECT_TRUE(by_time.wants_gather());

    Recorder by_room(*comm, options_for(directory.file("c.h5")));
    StepTimeline timeline; // 200 collectives where 4 were announced: room for 512
    timeline.collectives.resize(200);
    engine::StepRecord record;
    record.timeline = &timeline;
    by_room.step(record);
    EXPECT_TRUE(by_room.wants_gather());
}

TEST(Recorder, CountsStepsForWhichThereWasNoRoomAndSaysThatTheTraceIsIncomplete) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("x.h5");
    const auto comm = support::make_self();
    Recorder recorder(*comm, options_for(path));
    for (std::uint64_t n = 0; n < 200; ++n) recorder.step(Step(n, static_cast<double>(n)));
    EXPECT_TRUE(recorder.finish(ExitCode::done));
    const trace::Trace trace = trace::read_trace(path);
    EXPECT_EQ(trace.n_steps(), 128);
    EXPECT_FALSE(trace.is_complete);
    EXPECT_EQ(storage::Reader(path).attribute("/", "n_steps_lost"),
              storage::Value(std::int64_t{72}));
}

TEST(Recorder, KeepsTimesExactAfterALongIdleBroadcast) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("x.h5");
    const auto comm = support::make_self();
    Recorder recorder(*comm, options_for(path));
    constexpr double hour = 3600.123456;
    StepTimeline timeline;
    timeline.end_s = hour + 1;
    timeline.collectives = {{0, hour, 32, CollectiveKind::broadcast},
                            {hour + 0.5, hour + 0.75, 64, CollectiveKind::allreduce},
                            {hour + 0.75, hour + 1, 64, CollectiveKind::gather}};
    engine::StepRecord record;
    record.timeline = &timeline;
    recorder.step(record);
    ASSERT_TRUE(recorder.finish(ExitCode::done));
    const trace::Trace trace = trace::read_trace(path);
    EXPECT_NEAR(trace.ranks[0].compute_s, 0.5, 1e-3); // f32 knows an hour to 0.2 ms
    EXPECT_NEAR(trace.ranks[0].compute_s + trace.ranks[0].wait_s + trace.ranks[0].wire_s, hour + 1,
                1e-9);
    EXPECT_NEAR(storage::Reader(path).column<double>("/collectives/wire_s")[1], 0.25, 1e-3);
}

TEST(Recorder, AllocatesNothingBetweenGathers) {
    const TemporaryDirectory directory;
    const auto comm = support::make_self();
    Recorder recorder(*comm, options_for(directory.file("x.h5")));
    const Step step(1, 1.0);
    const std::size_t before = support::n_memory_requests();
    for (std::uint64_t n = 0; n < 100; ++n) {
        recorder.step(step);
        (void)recorder.wants_gather();
        for (int i = 0; i < 100; ++i) recorder.token(token(n)); // more than its buffer holds
    }
    EXPECT_EQ(support::n_memory_requests() - before, 0);
}

TEST(Recorder, RefusesAnExistingFileOrJournalOnAllRanks) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("x.h5");
    for (const std::string& existing : {path, path + ".journal"}) {
        std::ofstream(existing) << "precious";
        support::ThreadWorld world(2);
        support::on_ranks(world, [&](support::ThreadCommunicator& comm) {
            try {
                const Recorder recorder(comm, options_for(path));
                ADD_FAILURE() << "nothing was thrown";
            } catch (const Error& error) {
                EXPECT_EQ(error.code(), ExitCode::cannot_create);
                EXPECT_THAT(error.what(), HasSubstr(existing));
            }
        });
        TraceOptions options = options_for(path);
        options.force = true;
        const auto self = support::make_self();
        Recorder forced(*self, options);
        EXPECT_TRUE(forced.finish(ExitCode::done));
        EXPECT_EQ(trace::read_trace(path).n_steps(), 0);
        std::filesystem::remove(path);
    }
}

} // namespace
} // namespace pillar::recording
