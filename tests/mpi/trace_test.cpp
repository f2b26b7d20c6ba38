// The trace of a run of real ranks: steps with the step collectives, one rank slower than the
// others.

#include "pillar/core/timing.hpp"
#include "pillar/recording/recorder.hpp"
#include "pillar/trace/reader.hpp"
#include "support/ranks/mpi_main.hpp"

#include <array>
#include <chrono>
#include <filesystem>
#include <gtest/gtest.h>
#include <string>
#include <thread>
#include <unistd.h>

namespace pillar::recording {
namespace {

using support::world;

constexpr std::size_t n_steps = 40;
constexpr std::size_t n_allreduces = 4;
constexpr double planted_delay_s = 0.005; ///< of the last rank, before each all-reduce

void pause(double seconds) {
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
}

/// Collective. What the engine does around a forward pass.
void run_step(comm::Communicator& comm, StepTimeline& timeline, comm::GatherBuffer& all) {
    std::vector<float> values(1024, 1.0F);
    std::array<std::byte, 64> message{};
    timeline.collectives.clear();
    timeline.traffic = {};
    timeline.begin_s = monotonic_s();
    comm.record_into(&timeline);
    comm.broadcast(message, message.size());
    for (std::size_t i = 0; i < n_allreduces; ++i) {
        if (comm.rank() == comm.size() - 1) pause(planted_delay_s);
        comm.allreduce(values);
    }
    comm.gather(message, all);
    comm.record_into(nullptr);
    timeline.end_s = monotonic_s();
}

/// Collective. Returns after FILE.h5 is there.
void run_traced(comm::Communicator& comm, const std::string& path) {
    TraceOptions options;
    options.path = path;
    options.force = true;
    options.collectives_per_step = n_allreduces + 2;
    Recorder recorder(comm, options);
    StepTimeline timeline;
    timeline.collectives.reserve(n_allreduces + 2);
    comm::GatherBuffer all(comm.size(), 64);
    for (std::uint64_t n = 0; n < n_steps; ++n) {
        run_step(comm, timeline, all);
        engine::StepRecord record;
        record.step = n;
        record.phase = engine::Phase::decode;
        record.n_rows = 1;
        record.timeline = &timeline;
        recorder.step(record);
        if (n % 10 == 9) recorder.gather(); // on all ranks alike
    }
    EXPECT_EQ(recorder.finish(ExitCode::done), comm.is_root());
}

double compute_s_of_rank(const trace::Trace& trace, std::size_t rank) {
    double sum = 0;
    for (std::size_t i = 0; i < trace.n_steps(); ++i) sum += trace.at(i, rank).compute_s;
    return sum;
}

/// On rank 0 to its own step exactly; its collectives are kept as f32.
void expect_times_add_up(const trace::Trace& trace) {
    for (std::size_t i = 0; i < trace.n_steps(); ++i) {
        const trace::RankRow& root = trace.at(i, 0);
        const double sum_s = root.compute_s + root.wait_s + root.wire_s;
        const double step_s = trace.steps[i].duration_s;
        EXPECT_NEAR(sum_s, step_s, 1e-9 + 1e-6 * step_s) << i;
    }
}

TEST(trace, tells_the_slow_rank_from_those_that_wait_for_it) {
    const auto comm = world();
    const std::string path = (std::filesystem::temp_directory_path() /
                              ("pillar-trace-" + std::to_string(::getpid()) + ".h5"))
                                 .string();
    run_traced(*comm, path);
    if (!comm->is_root()) return;
    const trace::Trace trace = trace::read_trace(path);
    std::filesystem::remove(path);
    EXPECT_TRUE(trace.is_complete);
    EXPECT_EQ(trace.n_steps(), n_steps);
    EXPECT_EQ(trace.n_ranks(), static_cast<std::size_t>(comm->size()));
    expect_times_add_up(trace);
    const double planted_s = planted_delay_s * n_allreduces * n_steps;
    const std::size_t slow = trace.n_ranks() - 1;
    EXPECT_GE(compute_s_of_rank(trace, slow), 0.99 * planted_s);
    for (std::size_t rank = 0; rank < slow; ++rank) {
        // On a busy machine the others come late, too, but not in every step.
        std::size_t n_as_planted = 0;
        for (std::size_t i = 0; i < trace.n_steps(); ++i) {
            const double wait_s = trace.at(i, rank).wait_s;
            if (wait_s >= 0.9 * planted_s / n_steps && wait_s >= trace.at(i, slow).wait_s)
                ++n_as_planted;
        }
        EXPECT_GE(n_as_planted, n_steps / 10) << rank;
    }
    if (trace.n_ranks() == 1) return;
    EXPECT_GT(trace.steps[9].trace_bytes, 0);
    for (std::size_t i = 0; i < 9; ++i) EXPECT_EQ(trace.steps[i].trace_bytes, 0) << i;
}

} // namespace
} // namespace pillar::recording
