#include "pillar/bench/dry_run.hpp"

#include "dry_run/played_rank.hpp"
#include "dry_run/prediction.hpp"
#include "output.hpp"
#include "usual.hpp"

#include "pillar/comm/agree.hpp"
#include "pillar/comm/binding.hpp"
#include "pillar/core/errors.hpp"
#include "pillar/core/median.hpp"
#include "pillar/core/program.hpp"
#include "pillar/engine/signals.hpp"
#include "pillar/model/tensors.hpp"
#include "pillar/perf/machine_profile.hpp"
#include "pillar/session/model_file.hpp"
#include "pillar/session/run_shape.hpp"
#include "pillar/tables/markdown.hpp"
#include "pillar/telemetry/host.hpp"
#include "pillar/telemetry/other_work.hpp"
#include "pillar/terminal/standard_output.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/core.h>
#include <optional>

namespace pillar::bench {

namespace {

/// 1 / seconds, times `n`: bounds change places.
perf::Interval rate_of(double n, const perf::Interval& seconds) {
    return {n / seconds.value, n / seconds.high, n / seconds.low};
}

std::string with_bounds(const perf::Interval& x, double factor) {
    return fmt::format("{:.2f} ({:.2f}-{:.2f})", x.value * factor, x.low * factor, x.high * factor);
}

void set_interval(tables::Record& record, const std::string& name, const perf::Interval& x) {
    record.set(name, x.value);
    record.set(name + "_low", x.low);
    record.set(name + "_high", x.high);
}

/// The table or the records, line by line, and what the numbers are made of.
class DryRunOutput {
  public:
    DryRunOutput(tables::Format format, std::string profile)
        : format_(format), profile_(std::move(profile)) {
        if (format != tables::Format::md) writer_.emplace(format, tables::Quotes::always);
    }

    void result(const tables::Record& record, const std::vector<std::string>& cells) {
        write(writer_ ? writer_->record(record) : table().row(cells));
    }
    void note_others(double other_cpus, std::int64_t n_cpus) {
        if (telemetry::disturbs(other_cpus, n_cpus))
            other_cpus_ = std::max(other_cpus_, other_cpus);
    }
    void finish() {
        if (writer_) return write(writer_->footer());
        if (other_cpus_ > 0)
            write(fmt::format("\nOther programs kept up to {:.1f} CPUs busy: what is measured "
                              "would be shorter without them.\n",
                              other_cpus_));
        write(fmt::format(
            "\ncomputed: MEASURED here, of that rank's part alone; messages: PREDICTED, no other "
            "rank was there;\nt/s: made of both, tokens by the sum of the two, if all ranks "
            "computed as long as this one: a job goes at its slowest rank's.\nby plan: predicted "
            "alone. Predictions are of {}, with the bounds that its numbers have.\nAll-reduces "
            "added nothing, so what was computed means nothing.\n\nbuild: {} ({})\n",
            profile_, revision(), version()));
    }

  private:
    [[nodiscard]] static tables::MarkdownTable table() {
        return tables::MarkdownTable(
            {tables::text_column("model", 30), tables::number_column("plays rank", 10),
             tables::text_column("part", 9), tables::number_column("threads", 7),
             tables::number_column("test", 15), tables::number_column("computed ms a token", 19),
             tables::number_column("messages ms a token", 20), tables::number_column("t/s", 22),
             tables::number_column("t/s by plan", 22)});
    }
    void write(const std::string& text) {
        terminal::write_text((begun_    ? ""
                              : writer_ ? writer_->header()
                                        : table().head()) +
                                 text,
                             [] {});
        begun_ = true;
    }

    tables::Format format_;
    std::string profile_;
    std::optional<tables::RecordWriter> writer_;
    bool begun_ = false;
    double other_cpus_ = 0; ///< the most of all results
};

/// One model of the dry run.
class DryRun {
  public:
    DryRun(const BenchOptions& options, const session::ModelOptions& model,
           const perf::MachineProfile& profile, const std::vector<BenchTest>& tests)
        : options_(options), model_(with_room(model, tests)), profile_(profile), tests_(tests),
          cpu_(telemetry::read_host_info().cpu_model) {
        const gguf::File file = session::open_model_file(model);
        shape_.h = model::read_hyperparameters(file);
        model::check_tensors(file, shape_.h);
        const kernels::Family& family =
            model.family != nullptr ? *model.family : *kernels::families()[kernels::best_family()];
        const auto n_ranks = static_cast<int>(options.dry_run.n_ranks);
        shape_.ranks = session::rank_costs(file, shape_.h, family, model.cache_types, n_ranks,
                                           model.split.weights);
        shape_.wire = model.wire;
        shape_.allreduce = choose_allreduce(profile.network, model.allreduce, model.wire, n_ranks,
                                            shape_.h.dim, model_.n_batch);
    }

    /// False when a signal asked for the end.
    bool run(comm::Environment& environment, DryRunOutput& output) {
        for (const PlayedPart& part : parts_to_play(shape_, profile_)) {
            model_.played = {part.rank, static_cast<int>(shape_.ranks.size())};
            PlayedRank played(environment, model_, shape_.allreduce);
            std::optional<engine::FinishStepOnInterrupt> interruptible;
            if (environment.launch().launcher.empty()) interruptible.emplace();
            for (const BenchTest& test : tests_) {
                PlayedRank::Result result;
                const telemetry::CpuMeter meter(comm::own_cpus().machine);
                if (!played.run(test, options_.warm_up, result)) return false;
                print(part, test, result, played.session(), meter.use(), output);
            }
        }
        return true;
    }

  private:
    void print(const PlayedPart& part, const BenchTest& test, const PlayedRank::Result& result,
               session::Session& session, const telemetry::CpuUse& use,
               DryRunOutput& output) const {
        const auto n_tokens = static_cast<double>(test.test.n_prompt + test.test.n_gen);
        const Prediction predicted = predict(test.test, shape_, profile_);
        const double computed_s = median(result.seconds);
        const perf::Interval& messages_s = predicted.messages_s;
        const perf::Interval both =
            rate_of(n_tokens, {computed_s + messages_s.value, computed_s + messages_s.low,
                               computed_s + messages_s.high});
        const perf::Interval plan = rate_of(n_tokens, predicted.all_s);
        tables::Record r;
        r.set("build_commit", revision());
        r.set("cpu_info", cpu_);
        r.set("model_filename", session.file().path());
        r.set("model_type", model_type(session.model(), model_));
        r.set("model_size", tensor_bytes(session.file()));
        r.set("n_threads", session.n_threads());
        r.set("kernels", session.family().name);
        r.set("wire", comm::name_of(shape_.wire));
        r.set("allreduce_decode", comm::name_of(shape_.allreduce.of(shape_.h.dim)));
        r.set("allreduce_prompt", comm::name_of(shape_.allreduce.longer));
        r.set("dry_run_ranks", shape_.ranks.size());
        r.set("played_rank", part.rank);
        r.set("part", part.why);
        r.set("test", test.name());
        r.set("n_prompt", test.test.n_prompt);
        r.set("n_gen", test.test.n_gen);
        r.set("n_depth", test.test.n_depth);
        r.set("n_batch", test.test.n_batch);
        r.set("measured_compute_s", computed_s);
        r.set("measured_samples_s", result.seconds);
        r.set("counted_bytes_read", result.work.bytes);
        r.set("counted_macs", result.work.macs);
        r.set("counted_bytes_sent", result.sent.bytes_sent);
        r.set("counted_messages_sent", result.sent.messages_sent);
        const double other_cpus = telemetry::other_cpus({&use, 1}).front();
        if (std::isnan(other_cpus))
            r.set("other_cpus", tables::Value());
        else
            r.set("other_cpus", other_cpus);
        output.note_others(other_cpus, use.n_cpus);
        r.set("predicted_by", profile_.name);
        set_interval(r, "predicted_messages_s", messages_s);
        set_interval(r, "half_predicted_ts", both);
        set_interval(r, "plan_ts", plan);
        output.result(r, {model_type(session.model(), model_),
                          fmt::format("{} of {}", part.rank, shape_.ranks.size()), part.why,
                          std::to_string(session.n_threads()), test.name(),
                          fmt::format("{:.2f}", computed_s * 1e3 / n_tokens),
                          with_bounds(messages_s, 1e3 / n_tokens), with_bounds(both, 1),
                          with_bounds(plan, 1)});
    }

    const BenchOptions& options_;
    session::ModelOptions model_;
    const perf::MachineProfile& profile_;
    const std::vector<BenchTest>& tests_;
    std::string cpu_;
    perf::RunShape shape_;
};

} // namespace

int dry_run_models(const BenchOptions& options, comm::Environment& environment) {
    const std::vector<BenchTest> tests = tests_of(options.lists);
    perf::MachineProfile profile;
    {
        const auto world = environment.world(comm::Algorithm::direct, comm::Wire::f32);
        comm::agree(*world, [&] {
            if (environment.n_ranks() > 1)
                throw UsageError(fmt::format(
                    "--dry-run-ranks {}: one process plays the ranks one after the other; start it "
                    "without mpirun, there are {} processes",
                    options.dry_run.n_ranks, environment.n_ranks()));
            profile = perf::read_profile(options.dry_run.profile);
            if (!options.dry_run.network.empty())
                perf::read_network(options.dry_run.network, profile);
        });
    }
    DryRunOutput output(options.output, profile.name);
    bool complete = true;
    for (const session::ModelOptions& model : models_of(options))
        complete = complete && DryRun(options, model, profile, tests).run(environment, output);
    output.finish();
    return static_cast<int>(complete ? ExitCode::done : ExitCode::resumable);
}

} // namespace pillar::bench
