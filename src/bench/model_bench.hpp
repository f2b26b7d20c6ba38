#pragma once
// One model of `bench`: loaded once, measured in all tests.

#include "output.hpp"
#include "roofline.hpp"

#include "pillar/bench/tests.hpp"
#include "pillar/engine/benchmark.hpp"
#include "pillar/session/session.hpp"
#include "pillar/session/tracing.hpp"
#include "pillar/telemetry/other_work.hpp"

#include <optional>
#include <string>
#include <vector>

namespace pillar::bench {

class ModelBench {
  public:
    /// Collective. Loads the model with the context, rows and threads that the largest of `tests`
    /// needs.
    ModelBench(comm::Environment& environment, const session::ModelOptions& options,
               const std::vector<BenchTest>& tests, bool with_roofline,
               const session::TraceFlags& trace);

    [[nodiscard]] comm::Communicator& comm() noexcept { return comm_; }
    /// Collective. Write the trace, where there is one.
    void finish(ExitCode code);

    /// Collective. Fills rank 0's `record`. False when a signal asked for the end.
    bool run(const BenchTest& test, bool warm_up, tables::Record& record);

  private:
    comm::Communicator& tuned(comm::Environment& environment);
    Traffic sum_over_ranks(const Traffic& mine);
    std::optional<double> max_other_cpus(const telemetry::CpuUse& mine);
    bool run_once(const engine::BenchmarkTest& test, bool is_recorded);
    void show_progress(const BenchTest& test, std::size_t repeat) const;
    void clear_progress() const;
    [[nodiscard]] tables::Record record_of(const BenchTest& test,
                                           const std::vector<double>& seconds);

    session::ModelOptions options_;
    session::Session session_;
    comm::Communicator& comm_;
    std::optional<session::Tracing> tracing_;
    engine::Loop loop_;
    engine::Benchmark benchmark_;
    std::optional<Roofline> roofline_;
    std::string cpu_;
};

} // namespace pillar::bench
