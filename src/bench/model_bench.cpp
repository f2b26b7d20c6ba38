#include "model_bench.hpp"

#include "usual.hpp"

#include "pillar/comm/agree.hpp"
#include "pillar/comm/binding.hpp"
#include "pillar/comm/exchange.hpp"
#include "pillar/core/log.hpp"
#include "pillar/core/program.hpp"
#include "pillar/recording/recorder.hpp"
#include "pillar/session/model_file.hpp"
#include "pillar/synthetic/synthetic.hpp"
#include "pillar/telemetry/host.hpp"
#include "pillar/terminal/standard_output.hpp"
#include "pillar/terminal/streams.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fmt/chrono.h>
#include <fmt/core.h>

namespace pillar::bench {

namespace {

session::SessionNeeds needs(const session::ModelOptions& options,
                            const session::TraceFlags& trace) {
    session::SessionNeeds needs;
    needs.check_outputs = [&options, &trace] {
        terminal::expect_standard_output();
        if (!trace.path.empty())
            recording::check_output(trace.path, trace.force, session::files_read(options, {}));
    };
    return needs;
}

std::string utc_now() {
    const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    return fmt::format("{:%FT%TZ}", fmt::gmtime(now));
}

} // namespace

ModelBench::ModelBench(comm::Environment& environment, const session::ModelOptions& options,
                       const std::vector<BenchTest>& tests, bool with_roofline,
                       const session::TraceFlags& trace)
    : options_(with_room(options, tests)), session_(environment, options_, needs(options_, trace)),
      comm_(tuned(environment)), loop_(session_.transformer(), comm_, loop_options()),
      benchmark_(session_.transformer().hyperparameters().vocab_size,
                 [this](std::size_t n) {
                     return session_.transformer().keeps(0, static_cast<std::int32_t>(n));
                 }),
      cpu_(telemetry::read_host_info().cpu_model) {
    comm::agree(comm_, [&] {
        if (with_roofline) roofline_.emplace(session_);
    });
    if (trace.path.empty()) return;
    session::RunDescription description;
    comm::agree(comm_, [&] {
        description = session::describe_run(session_, options_, "bench");
        description.config.set<"n_sequences">(1);
    });
    tracing_.emplace(session_, trace, std::move(description));
}

void ModelBench::finish(ExitCode code) {
    if (tracing_) tracing_->finish(code);
}

/// Collective. The loop reserves what the all-reduces need, so they are chosen before it.
comm::Communicator& ModelBench::tuned(comm::Environment& environment) {
    session_.tune_allreduce(environment, options_, options_.n_batch);
    return session_.comm();
}

bool ModelBench::run(const BenchTest& test, bool warm_up, tables::Record& record) {
    const int most = session_.max_threads();
    session_.set_threads(test.n_threads > 0 ? std::min(test.n_threads, most) : most);
    if (warm_up && !run_once(warm_up_of(test.test), false)) return false;
    const telemetry::CpuMeter meter(comm::own_cpus().machine);
    std::vector<double> seconds;
    Traffic sent; // of a repetition, the depth before it included
    if (roofline_) {
        roofline_->begin();
        roofline_->measure();
    }
    for (std::size_t i = 0; i < test.n_repeats; ++i) {
        show_progress(test, i);
        const Traffic before = comm_.step_traffic();
        if (!run_once(test.test, true)) return false;
        seconds.push_back(benchmark_.elapsed_s());
        sent = comm_.step_traffic() - before;
        if (roofline_) roofline_->measure();
    }
    clear_progress();
    const std::optional<double> other_cpus = max_other_cpus(meter.use());
    const Traffic all_sent = sum_over_ranks(sent);
    comm::agree(comm_, [&] {
        if (!comm_.is_root()) return;
        record = record_of(test, seconds);
        record.set("bytes_sent", all_sent.bytes_sent);
        record.set("messages_sent", all_sent.messages_sent);
        record.set("other_cpus", other_cpus);
    });
    if (roofline_) roofline_->finish(test.test, seconds, record);
    return true;
}

/// Collective. The sum on rank 0.
Traffic ModelBench::sum_over_ranks(const Traffic& mine) {
    Traffic all;
    for (const Traffic& one : comm::gather_to_root(comm_, mine)) all += one;
    return all;
}

/// Collective. On rank 0, of the node where it is the most; nothing where no node tells.
std::optional<double> ModelBench::max_other_cpus(const telemetry::CpuUse& mine) {
    const std::vector<telemetry::CpuUse> uses = comm::gather_to_root(comm_, mine);
    std::optional<double> most;
    for (const double other_cpus : telemetry::other_cpus(uses))
        if (!std::isnan(other_cpus)) most = std::max(most.value_or(0), other_cpus);
    return most;
}

/// Collective.
bool ModelBench::run_once(const engine::BenchmarkTest& test, bool is_recorded) {
    benchmark_.begin(test);
    loop_.observe(tracing_ && is_recorded ? &tracing_->recorder() : nullptr);
    return !loop_.run(comm_.is_root() ? &benchmark_ : nullptr);
}

void ModelBench::show_progress(const BenchTest& test, std::size_t repeat) const {
    if (comm_.is_root() && terminal::on_terminal())
        log::text(fmt::format("\r{} {}/{}\x1b[K\r", test.name(), repeat + 1, test.n_repeats));
}

void ModelBench::clear_progress() const {
    if (comm_.is_root() && terminal::on_terminal()) log::text("\x1b[K");
}

/// Rank 0 only.
tables::Record ModelBench::record_of(const BenchTest& test, const std::vector<double>& seconds) {
    tables::Record r;
    r.set("build_commit", revision());
    r.set("build_version", version());
    r.set("cpu_info", cpu_);
    r.set("backends", "MPI");
    r.set("model_filename", session_.file().path());
    r.set("model_type", model_type(session_.model(), options_));
    r.set("model_size", tensor_bytes(session_.file()));
    r.set("model_n_params", session_.model().plan.n_parameters);
    r.set("n_batch", test.test.n_batch);
    r.set("n_ubatch", test.test.n_batch);
    r.set("n_threads", session_.n_threads());
    r.set("type_k", kernels::name_of(options_.cache_types.keys));
    r.set("type_v", kernels::name_of(options_.cache_types.values));
    r.set("ranks", comm_.size());
    r.set("kernels", session_.family().name);
    r.set("allreduce", session::allreduce_text(options_));
    r.set("allreduce_decode", comm::name_of(session_.allreduce().of(session_.model().h.dim)));
    r.set("allreduce_prompt", comm::name_of(session_.allreduce().longer));
    r.set("wire", comm::name_of(options_.wire));
    r.set("split", session::split_text(options_.split));
    r.set("split_shares", session::weights_text(session_.placement().weights));
    r.set("test", test.name());
    r.set("n_prompt", test.test.n_prompt);
    r.set("n_gen", test.test.n_gen);
    r.set("n_depth", test.test.n_depth);
    r.set("test_time", utc_now());
    add_samples(r, seconds, test.test.n_prompt + test.test.n_gen);
    return r;
}

} // namespace pillar::bench
