// bench: how fast a model is computed here, in llama-bench's tests and tables; on any number of
// ranks, with the messages of a real run.

#include "bench_output.hpp"
#include "bench_roofline.hpp"
#include "bench_tests.hpp"
#include "session.hpp"
#include "standard_output.hpp"
#include "subcommands.hpp"

#include "pillar/comm/agree.hpp"
#include "pillar/core/errors.hpp"
#include "pillar/core/log.hpp"
#include "pillar/core/version.hpp"
#include "pillar/model/synthetic.hpp"
#include "pillar/telemetry/host.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <memory>
#include <optional>

namespace pillar::cli {

namespace {

struct BenchOptions {
    ModelOptions model;
    std::vector<std::string> files;
    std::vector<std::string> synthetic;
    BenchLists lists;
    std::string output = "md";
    bool warm_up = true;
    bool roofline = false;
    std::string write;
    bool force = false;
};

/// "llama 1.2B Q4_K_M" or "Llama-3.2-1B Q4_K_M synthetic"
std::string model_type(const gguf::File& file, const model::Transformer& transformer,
                       const ModelOptions& options) {
    const model::Hyperparameters& h = transformer.hyperparameters();
    const auto file_type = file.metadata().integer("general.file_type", 0, UINT32_MAX);
    const quant::MixInfo* mix =
        file_type ? quant::find_mix(static_cast<std::uint32_t>(*file_type)) : nullptr;
    const std::string title = mix == nullptr ? "" : " " + std::string(mix->title);
    if (!options.synthetic.empty())
        return std::string(model::parse_synthetic_name(options.synthetic).shape->title) + title +
               " synthetic";
    const auto n = static_cast<double>(transformer.n_parameters());
    return h.architecture +
           (n < 1e9 ? fmt::format(" {:.0f}M", n / 1e6) : fmt::format(" {:.1f}B", n / 1e9)) + title;
}

/// All of one model's tests.
class ModelBench {
  public:
    /// Collective.
    ModelBench(comm::Environment& environment, const ModelOptions& options,
               const std::vector<BenchTest>& tests, bool with_roofline)
        : options_(with_room(options, tests)), session_(environment, options_, {}),
          comm_(tuned(environment)), loop_(session_.transformer(), comm_, loop_options()),
          benchmark_(session_.transformer().hyperparameters().vocab_size),
          cpu_(telemetry::read_host_info().cpu_model) {
        comm::agree(comm_, [&] {
            if (with_roofline) roofline_.emplace(session_);
        });
    }

    [[nodiscard]] comm::Communicator& comm() noexcept { return comm_; }

    /// Collective. False when a signal asked for the end.
    bool run(const BenchTest& test, bool warm_up, BenchRecord& record) {
        session_.set_threads(test.n_threads > 0 ? test.n_threads : session_.most_threads());
        if (warm_up && !run_once(warm_up_of(test.test))) return false;
        std::vector<double> seconds;
        if (roofline_) roofline_->begin(), roofline_->measure();
        for (std::size_t i = 0; i < test.n_repeats; ++i) {
            show_progress(test, i);
            if (!run_once(test.test)) return false;
            seconds.push_back(benchmark_.elapsed_s());
            if (roofline_) roofline_->measure();
        }
        if (comm_.is_root()) record = record_of(test, seconds);
        if (roofline_) roofline_->finish(test.test, seconds, record);
        return true;
    }

  private:
    /// The context, rows and threads that the largest test needs.
    static ModelOptions with_room(ModelOptions options, const std::vector<BenchTest>& tests) {
        options.n_context = 1;
        options.n_batch = 1;
        bool default_threads = false;
        for (const BenchTest& test : tests) {
            options.n_context = std::max(options.n_context, test.test.n_positions());
            options.n_batch = std::max(options.n_batch, test.test.n_batch);
            options.n_threads = std::max(options.n_threads, test.n_threads);
            default_threads |= test.n_threads == 0;
        }
        if (default_threads) options.n_threads = 0;
        return options;
    }

    /// Collective. The loop reserves what the all-reduces need, so they are chosen before it.
    comm::Communicator& tuned(comm::Environment& environment) {
        session_.tune_allreduce(environment, options_, options_.n_batch);
        return session_.comm();
    }

    /// As `run` has them by default: the same candidates are gathered.
    static engine::LoopOptions loop_options() {
        engine::LoopOptions options;
        options.n_candidates = sampling::candidates_needed(options.sampling);
        return options;
    }

    /// As llama-bench: the whole prompt, one generated token.
    static engine::BenchmarkTest warm_up_of(engine::BenchmarkTest test) {
        test.n_gen = std::min<std::size_t>(test.n_gen, 1);
        return test;
    }

    /// Collective.
    bool run_once(const engine::BenchmarkTest& test) {
        benchmark_.begin(test);
        return !loop_.run(comm_.is_root() ? &benchmark_ : nullptr);
    }

    void show_progress(const BenchTest& test, std::size_t repeat) const {
        if (comm_.is_root() && on_terminal())
            fmt::print(stderr, "\r{} {}/{}\x1b[K\r", test.name(), repeat + 1, test.n_repeats);
    }

    /// Rank 0 only.
    BenchRecord record_of(const BenchTest& test, const std::vector<double>& seconds) {
        const model::Transformer& transformer = session_.transformer();
        std::uint64_t tensor_bytes = 0;
        for (const gguf::TensorInfo& tensor : session_.file().tensors())
            tensor_bytes += tensor.size_bytes;
        BenchRecord r;
        r["build_commit"] = revision();
        r["build_version"] = version();
        r["cpu_info"] = cpu_;
        r["backends"] = "MPI";
        r["model_filename"] = session_.file().path();
        r["model_type"] = model_type(session_.file(), transformer, options_);
        r["model_size"] = tensor_bytes;
        r["model_n_params"] = transformer.n_parameters();
        r["n_batch"] = test.test.n_batch;
        r["n_ubatch"] = test.test.n_batch;
        r["n_threads"] = session_.n_threads();
        r["type_k"] = options_.cache_type;
        r["type_v"] = options_.cache_type;
        r["ranks"] = comm_.size();
        r["kernels"] = session_.family().name;
        r["allreduce"] = options_.allreduce;
        r["wire"] = options_.wire;
        r["split"] = options_.split;
        r["test"] = test.name();
        r["n_prompt"] = test.test.n_prompt;
        r["n_gen"] = test.test.n_gen;
        r["n_depth"] = test.test.n_depth;
        r["test_time"] = fmt::format("{:%FT%TZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(
                                                      std::chrono::system_clock::now())));
        add_samples(r, seconds, test.test.n_prompt + test.test.n_gen);
        return r;
    }

    ModelOptions options_;
    Session session_;
    comm::Communicator& comm_;
    engine::Loop loop_;
    engine::Benchmark benchmark_;
    std::optional<Roofline> roofline_;
    std::string cpu_;
};

std::vector<ModelOptions> models_of(const BenchOptions& options) {
    std::vector<ModelOptions> models;
    for (const std::string& file : options.files) {
        models.push_back(options.model);
        models.back().model = file;
    }
    for (const std::string& name : options.synthetic) {
        models.push_back(options.model);
        models.back().synthetic = name;
    }
    return models;
}

BenchOutput::Columns columns_for(const BenchOptions& options, const std::vector<BenchTest>& tests) {
    BenchOutput::Columns columns;
    columns.n_batch = std::ranges::any_of(
        tests, [](const BenchTest& test) { return test.test.n_batch != ModelOptions{}.n_batch; });
    columns.cache_type = options.model.cache_type != ModelOptions{}.cache_type;
    columns.roofline = options.roofline;
    columns.allreduce = options.model.allreduce != ModelOptions{}.allreduce;
    return columns;
}

int bench(const BenchOptions& options, const std::vector<BenchTest>& tests,
          comm::Environment& environment) {
    const auto output = make_bench_output(options.output, columns_for(options, tests));
    bool begun = false;
    const std::vector<ModelOptions> models = models_of(options);
    for (const ModelOptions& model : models) {
        ModelBench bench(environment, model, tests, options.roofline);
        for (const BenchTest& test : tests) {
            BenchRecord record;
            if (!bench.run(test, options.warm_up, record))
                return static_cast<int>(ExitCode::resumable);
            comm::agree(bench.comm(), [&] {
                if (!bench.comm().is_root()) return;
                write_text((begun ? "" : output->header()) + output->result(record),
                           [&] { bench.comm().attend(); });
            });
            begun = true;
        }
        if (&model == &models.back())
            comm::agree(bench.comm(), [&] {
                if (bench.comm().is_root())
                    write_text(output->footer(), [&] { bench.comm().attend(); });
            });
    }
    return 0;
}

/// Without MPI: the process that prints writes the file.
int write_synthetic(const BenchOptions& options) {
    if (options.synthetic.size() != 1 || !options.files.empty())
        throw UsageError("--write writes one model: give one --synthetic SHAPE:TYPE and no -m");
    const model::SyntheticName name = model::parse_synthetic_name(options.synthetic.front());
    if (!prints()) return 0;
    if (!options.force && std::filesystem::exists(options.write))
        throw Error(ExitCode::cannot_create,
                    fmt::format("{} exists; give --force to replace it", printable(options.write)));
    model::write_model(model::synthetic_model(*name.shape, name.mix), options.write);
    return 0;
}

} // namespace

void add_bench(CLI::App& app, Command& command) {
    auto options = std::make_shared<BenchOptions>();
    CLI::App* sub = app.add_subcommand(
        "bench", "measure tokens per second in llama-bench's tests; lists by comma, ranges as in "
                 "128-512+128 or 1-8*2");
    const auto list = [&](const char* flags, std::vector<std::string>& values, const char* help) {
        return sub->add_option(flags, values, help)->type_name("LIST");
    };
    sub->add_option("-m,--model", options->files, "GGUF files")->delimiter(',')->type_name("FILE");
    sub->add_option("--synthetic", options->synthetic,
                    "a model without a file, e.g. llama-3.2-1b:q4_k_m")
        ->delimiter(',')
        ->type_name("SHAPE:TYPE");
    list("-p,--n-prompt", options->lists.n_prompt, "prompt tokens (default: 512); 0 = none");
    list("-n,--n-gen", options->lists.n_gen, "tokens to generate (default: 128); 0 = none");
    list("--prompt-gen", options->lists.prompt_gen, "PROMPT,GEN in one test; may be given again");
    list("-d,--n-depth", options->lists.n_depth, "positions in the context before (default: 0)");
    list("-b,--batch-size", options->lists.n_batch, "prompt tokens a step (default: 256)");
    list("-t,--threads", options->lists.n_threads,
         "threads per rank (default: the cores this rank is bound to)");
    list("-r,--repetitions", options->lists.n_repeats, "repetitions of each test (default: 5)");
    add_compute_options(*sub, options->model);
    sub->add_option("-o,--output", options->output, "md, csv, json or jsonl")
        ->check(CLI::IsMember({"md", "csv", "json", "jsonl"}))
        ->type_name("FORMAT")
        ->capture_default_str();
    sub->add_flag("--warmup,!--no-warmup", options->warm_up,
                  "run each test once before it counts (default: yes)");
    sub->add_flag("--roofline", options->roofline,
                  "measure this machine's read bandwidth and integer rate between the repetitions, "
                  "and print each test's share of them");
    sub->add_option("--write", options->write,
                    "write the synthetic model as a GGUF file and measure nothing")
        ->type_name("FILE");
    sub->add_flag("--force", options->force, "with --write: replace an existing file");
    sub->callback([options, &command] {
        if (!options->write.empty()) {
            command.run_alone = [options] { return write_synthetic(*options); };
            return;
        }
        if (options->files.empty() && options->synthetic.empty())
            throw UsageError("no model: give -m FILE or --synthetic SHAPE:TYPE");
        for (const std::string& name : options->synthetic) (void)model::parse_synthetic_name(name);
        command.run_with_ranks =
            [options, tests = parse_tests(options->lists)](comm::Environment& environment) {
                return bench(*options, tests, environment);
            };
    });
}

} // namespace pillar::cli
