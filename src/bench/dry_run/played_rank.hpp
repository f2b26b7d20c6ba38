#pragma once
// One rank of a job that is not there: its part of the model is loaded, its steps are computed.

#include "work.hpp"

#include "pillar/bench/tests.hpp"
#include "pillar/comm/dry_run.hpp"
#include "pillar/engine/benchmark.hpp"
#include "pillar/session/session.hpp"

#include <memory>
#include <vector>

namespace pillar::bench {

/// What one repetition's steps sent, as the run's own records tell it.
class StepCounter final : public engine::StepObserver {
  public:
    void step(const engine::StepRecord& record) override { sent += record.timeline->traffic; }
    [[nodiscard]] bool wants_gather() const override { return false; }
    void gather() override {}
    void token(const engine::TokenRecord& /*record*/) override {}
    void sequence(const engine::SequenceRecord& /*record*/) override {}

    Traffic sent;
};

class PlayedRank {
  public:
    /// Collective, for one rank. `options.played` says which; `options` are those that the largest
    /// of the tests needs. Throws comm::AgreedError.
    PlayedRank(comm::Environment& environment, const session::ModelOptions& options,
               const comm::AllreduceChoice& allreduce);

    struct Result {
        std::vector<double> seconds; ///< of computing, a repetition each
        Traffic sent;                ///< that the rank would send in one: counted
        Amounts work;                ///< that it reads and multiplies in one
    };
    /// False when a signal asked for the end.
    bool run(const BenchTest& test, bool warm_up, Result& result);

    [[nodiscard]] session::Session& session() noexcept { return session_; }

  private:
    bool run_once(const engine::BenchmarkTest& test);

    session::Session session_;
    std::unique_ptr<comm::Communicator> comm_;
    engine::Loop loop_;
    engine::Benchmark benchmark_;
    StepCounter counter_;
};

} // namespace pillar::bench
