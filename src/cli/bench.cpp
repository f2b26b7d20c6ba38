// bench: how fast a model is computed here, in llama-bench's tests and tables; on any number of
// ranks, with the messages of a real run.

#include "bench_allreduce.hpp"
#include "bench_model.hpp"
#include "bench_output.hpp"
#include "bench_tests.hpp"
#include "standard_output.hpp"
#include "subcommands.hpp"

#include "pillar/comm/agree.hpp"
#include "pillar/core/errors.hpp"
#include "pillar/core/log.hpp"
#include "pillar/core/output_file.hpp"
#include "pillar/engine/signals.hpp"
#include "pillar/model/synthetic.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
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

/// Rank 0's standard output: the header comes with the first result or with the end.
class Printer {
  public:
    explicit Printer(std::unique_ptr<BenchOutput> output) : output_(std::move(output)) {}
    void result(const BenchRecord& record, comm::Communicator& comm) {
        write(output_->result(record), [&] { comm.attend(); });
    }
    void footer() {
        if (prints()) write(output_->footer(), [] {});
    }

  private:
    void write(const std::string& text, FunctionRef<void()> attend) {
        write_text((begun_ ? "" : output_->header()) + text, attend);
        begun_ = true;
    }

    std::unique_ptr<BenchOutput> output_;
    bool begun_ = false;
};

/// Collective. One model's tests; false when a signal asked for the end.
bool bench_model(const BenchOptions& options, const ModelOptions& model,
                 const std::vector<BenchTest>& tests, comm::Environment& environment,
                 Printer& printer) {
    ModelBench bench(environment, model, tests, options.roofline);
    std::optional<engine::FinishStepOnInterrupt> interruptible;
    if (environment.launch().launcher.empty()) interruptible.emplace();
    for (const BenchTest& test : tests) {
        BenchRecord record;
        if (!bench.run(test, options.warm_up, record)) return false;
        comm::agree(bench.comm(), [&] {
            if (bench.comm().is_root()) printer.result(record, bench.comm());
        });
    }
    return true;
}

int bench(const BenchOptions& options, const std::vector<BenchTest>& tests,
          comm::Environment& environment) {
    Printer printer(make_bench_output(options.output, columns_for(options, tests)));
    bool complete = true;
    for (const ModelOptions& model : models_of(options))
        complete = complete && bench_model(options, model, tests, environment, printer);
    printer.footer(); // also after a signal: what there is can be read
    return static_cast<int>(complete ? ExitCode::done : ExitCode::resumable);
}

/// `--allreduce` without a name asks for the table of all of them.
constexpr const char* allreduce_table = "table";

void let_allreduce_stand_alone(CLI::App& app) {
    CLI::Option* option = app.get_option("--allreduce");
    option->get_validator(0)->active(false);
    option->expected(0, 1)->default_str(allreduce_table);
    option->check(CLI::IsMember(
        {allreduce_table, "auto", "recursive-doubling", "direct", "two-step", "ring", "mpi"}));
    option->description("alone, or table: times of all of them on these ranks, without a model; "
                        "with another name as in run: what models are measured with");
}

/// Without MPI: the process that prints writes the file.
int write_synthetic(const BenchOptions& options) {
    if (options.synthetic.size() != 1 || !options.files.empty())
        throw UsageError("--write writes one model: give one --synthetic SHAPE:TYPE and no -m");
    const model::SyntheticName name = model::parse_synthetic_name(options.synthetic.front());
    if (!prints()) return 0;
    expect_output(options.write, options.force, {});
    prepare_process(); // Ctrl-C leaves nothing unfinished
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
    let_allreduce_stand_alone(*sub);
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
        if (options->model.allreduce == allreduce_table) {
            command.run_with_ranks = [options](comm::Environment& environment) {
                return bench_allreduce({options->output,
                                        parse_network(options->model.emulate_network),
                                        options->model.timeout_s},
                                       environment);
            };
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
