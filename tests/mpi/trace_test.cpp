// The trace of a run of real ranks: steps with the step collectives, one rank slower than the
// others.

#include "pillar/core/timing.hpp"
#include "pillar/trace/reader.hpp"
#include "pillar/trace/recorder.hpp"
#include "support/mpi_main.hpp"

#include <array>
#include <chrono>
#include <filesystem>
#include <gtest/gtest.h>
#include <numeric>
#include <string>
#include <thread>
#include <unistd.h>

namespace pillar::trace {
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

double sum_of_rank(const Trace& trace, const std::vector<double>& column, std::size_t rank) {
    double sum = 0;
    for (std::size_t i = 0; i < trace.n_steps(); ++i) sum += column[i * trace.n_ranks() + rank];
    return sum;
}

/// On rank 0 to its own step exactly; its collectives are kept as f32.
void expect_times_add_up(const Trace& trace) {
    for (std::size_t i = 0; i < trace.n_steps(); ++i) {
        const std::size_t root = i * trace.n_ranks();
        const double sum_s = trace.compute_s[root] + trace.wait_s[root] + trace.wire_s[root];
        EXPECT_NEAR(sum_s, trace.duration_s[i], 1e-9 + 1e-6 * trace.duration_s[i]) << i;
    }
}

TEST(trace, tells_the_slow_rank_from_those_that_wait_for_it) {
    const auto comm = world();
    const std::string path = (std::filesystem::temp_directory_path() /
                              ("pillar-trace-" + std::to_string(::getpid()) + ".h5"))
                                 .string();
    run_traced(*comm, path);
    if (!comm->is_root()) return;
    const Trace trace = read_trace(path);
    std::filesystem::remove(path);
    EXPECT_TRUE(trace.is_complete);
    EXPECT_EQ(trace.n_steps(), n_steps);
    EXPECT_EQ(trace.n_ranks(), static_cast<std::size_t>(comm->size()));
    expect_times_add_up(trace);
    const double planted_s = planted_delay_s * n_allreduces * n_steps;
    const std::size_t slow = trace.n_ranks() - 1;
    EXPECT_GE(sum_of_rank(trace, trace.compute_s, slow), 0.99 * planted_s);
    for (std::size_t rank = 0; rank < slow; ++rank) {
        // On a busy machine the others come late, too, but not in every step.
        std::size_t n_as_planted = 0;
        for (std::size_t i = 0; i < trace.n_steps(); ++i) {
            const double* wait_s = &trace.wait_s[i * trace.n_ranks()];
            if (wait_s[rank] >= 0.9 * planted_s / n_steps && wait_s[rank] >= wait_s[slow])
                ++n_as_planted;
        }
        EXPECT_GE(n_as_planted, n_steps / 10) << rank;
    }
    if (trace.n_ranks() == 1) return;
    const auto& bytes = trace.trace_bytes;
    EXPECT_GT(bytes[9], 0);
    EXPECT_EQ(std::accumulate(bytes.begin(), bytes.begin() + 9, std::uint64_t{0}), 0);
}

} // namespace
} // namespace pillar::trace
