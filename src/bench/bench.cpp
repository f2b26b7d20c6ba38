#include "pillar/bench/bench.hpp"

#include "model_bench.hpp"
#include "output.hpp"
#include "usual.hpp"

#include "pillar/comm/agree.hpp"
#include "pillar/core/errors.hpp"
#include "pillar/core/output_file.hpp"
#include "pillar/engine/signals.hpp"
#include "pillar/terminal/standard_output.hpp"

#include <algorithm>
#include <memory>
#include <optional>

namespace pillar::bench {

namespace {

BenchOutput::Columns columns_for(const BenchOptions& options, const std::vector<BenchTest>& tests) {
    BenchOutput::Columns columns;
    columns.n_batch = std::ranges::any_of(tests, [](const BenchTest& test) {
        return test.test.n_batch != session::ModelOptions{}.n_batch;
    });
    columns.cache_type = !(options.model.cache_types == session::ModelOptions{}.cache_types);
    columns.roofline = options.roofline;
    columns.allreduce = options.model.allreduce.has_value();
    return columns;
}

/// Rank 0's standard output: the header comes with the first result or with the end.
class Printer {
  public:
    explicit Printer(std::unique_ptr<BenchOutput> output) : output_(std::move(output)) {}
    void result(const tables::Record& record, comm::Communicator& comm) {
        write(output_->result(record), [&] { comm.heartbeat(); });
    }
    void footer() {
        write(output_->footer(), [] {});
    }

  private:
    void write(const std::string& text, FunctionRef<void()> heartbeat) {
        terminal::write_text((begun_ ? "" : output_->header()) + text, heartbeat);
        begun_ = true;
    }

    std::unique_ptr<BenchOutput> output_;
    bool begun_ = false;
};

/// Collective. One model's tests, after the last ones the end of the output; false when a signal
/// asked for it earlier.
bool bench_one(const BenchOptions& options, const session::ModelOptions& model, bool is_last,
               const std::vector<BenchTest>& tests, comm::Environment& environment,
               Printer& printer) {
    session::TraceFlags trace = options.trace;
    trace.force = options.force;
    ModelBench bench(environment, model, tests, options.roofline, trace);
    std::optional<engine::FinishStepOnInterrupt> interruptible;
    if (environment.launch().launcher.empty()) interruptible.emplace();
    bool complete = true;
    for (const BenchTest& test : tests) {
        tables::Record record;
        complete = bench.run(test, options.warm_up, record);
        if (!complete) break;
        comm::agree(bench.comm(), [&] {
            if (bench.comm().is_root()) printer.result(record, bench.comm());
        });
    }
    bench.finish(complete ? ExitCode::done : ExitCode::resumable);
    if (is_last || !complete)
        comm::agree(bench.comm(), [&] { // what there is can be read
            if (bench.comm().is_root()) printer.footer();
        });
    return complete;
}

} // namespace

int bench_models(const BenchOptions& options, comm::Environment& environment) {
    const std::vector<BenchTest> tests = tests_of(options.lists);
    Printer printer(make_bench_output(options.output, columns_for(options, tests)));
    const std::vector<session::ModelOptions> models = models_of(options);
    bool complete = true;
    for (std::size_t i = 0; i < models.size() && complete; ++i)
        complete =
            bench_one(options, models[i], i + 1 == models.size(), tests, environment, printer);
    return static_cast<int>(complete ? ExitCode::done : ExitCode::resumable);
}

void write_synthetic(const BenchOptions& options) {
    expect_output(options.write, options.force, {});
    const synthetic::SyntheticName& name = options.synthetic.front();
    synthetic::write_model(synthetic::synthetic_model(name.shape, name.mix), options.write);
}

} // namespace pillar::bench
