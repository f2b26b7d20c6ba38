// bench: how fast a model is computed here, in llama-bench's tests and tables; on any number of
// ranks, with the messages of a real run.

#include "arguments/numbers.hpp"
#include "arguments/parser.hpp"
#include "bench_allreduce.hpp"
#include "bench_model.hpp"
#include "bench_output.hpp"
#include "bench_tests.hpp"
#include "standard_output.hpp"
#include "subcommands.hpp"

#include "pillar/comm/agree.hpp"
#include "pillar/core/counted.hpp"
#include "pillar/core/errors.hpp"
#include "pillar/core/log.hpp"
#include "pillar/core/output_file.hpp"
#include "pillar/engine/signals.hpp"
#include "pillar/model/synthetic.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <memory>
#include <optional>

namespace pillar::cli {

namespace {

struct BenchOptions {
    ModelOptions model;
    std::vector<std::string> files; ///< lists
    std::vector<std::string> synthetic;
    BenchLists lists;
    bool allreduce_table = false;
    std::vector<std::string> sizes; ///< lists of bytes
    std::string output = "md";
    bool warm_up = true;
    bool roofline = false;
    std::string write;
    bool force = false;
};

/// "a:q4_0,b:q8_0"
std::vector<std::string> synthetic_names(const std::vector<std::string>& lists) {
    std::vector<std::string> names;
    for (const std::string& list : lists)
        for (const std::string_view name : split(list, ',')) {
            names.emplace_back(name);
            (void)model::parse_synthetic_name(names.back());
        }
    return names;
}

std::vector<ModelOptions> models_of(const BenchOptions& options) {
    std::vector<ModelOptions> models;
    for (const std::string& file : file_names(options.files)) {
        models.push_back(options.model);
        models.back().model = file;
    }
    for (const std::string& name : synthetic_names(options.synthetic)) {
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
    columns.allreduce = options.model.allreduce.has_value();
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

/// Collective. One model's tests, after the last ones the end of the output; false when a signal
/// asked for it earlier.
bool bench_model(const BenchOptions& options, const ModelOptions& model, bool is_last,
                 const std::vector<BenchTest>& tests, comm::Environment& environment,
                 Printer& printer) {
    ModelBench bench(environment, model, tests, options.roofline);
    std::optional<engine::FinishStepOnInterrupt> interruptible;
    if (environment.launch().launcher.empty()) interruptible.emplace();
    bool complete = true;
    for (const BenchTest& test : tests) {
        BenchRecord record;
        complete = bench.run(test, options.warm_up, record);
        if (!complete) break;
        comm::agree(bench.comm(), [&] {
            if (bench.comm().is_root()) printer.result(record, bench.comm());
        });
    }
    if (is_last || !complete)
        comm::agree(bench.comm(), [&] { printer.footer(); }); // what there is can be read
    return complete;
}

int bench(const BenchOptions& options, const std::vector<BenchTest>& tests,
          comm::Environment& environment) {
    Printer printer(make_bench_output(options.output, columns_for(options, tests)));
    const std::vector<ModelOptions> models = models_of(options);
    bool complete = true;
    for (std::size_t i = 0; i < models.size() && complete; ++i)
        complete =
            bench_model(options, models[i], i + 1 == models.size(), tests, environment, printer);
    return static_cast<int>(complete ? ExitCode::done : ExitCode::resumable);
}

/// Without MPI: the process that prints writes the file.
int write_synthetic(const BenchOptions& options) {
    const std::vector<std::string> names = synthetic_names(options.synthetic);
    if (names.size() != 1 || !options.files.empty())
        throw UsageError("--write writes one model: give one --synthetic SHAPE:TYPE and no -m");
    const model::SyntheticName name = model::parse_synthetic_name(names.front());
    if (!prints()) return 0;
    expect_output(options.write, options.force, {});
    prepare_process(); // Ctrl-C leaves nothing unfinished
    model::write_model(model::synthetic_model(*name.shape, name.mix), options.write);
    return 0;
}

/// The flags that say what to measure. Ranks compare the numbers, however they are written.
void add_lists(Subcommand& sub, const std::shared_ptr<BenchOptions>& options) {
    const auto list = [&](const char* names, std::vector<std::string>& values, const char* help,
                          std::vector<std::size_t> BenchNumbers::*numbers,
                          const char* type = "LIST") {
        sub.add_list(Ranks::same, names, type, help)
            .looks(Flag::Looks::like_a_number)
            .pieces(values)
            .compared_by([options, numbers] {
                return fmt::format("{}", fmt::join(resolve(options->lists).*numbers, ","));
            });
    };
    BenchLists& lists = options->lists;
    list("-p,--n-prompt", lists.n_prompt, "prompt tokens (default: 512); 0 = none",
         &BenchNumbers::n_prompt);
    list("-n,--n-gen", lists.n_gen, "tokens to generate (default: 128); 0 = none",
         &BenchNumbers::n_gen);
    list("--prompt-gen", lists.prompt_gen, "both in one test; may be given again",
         &BenchNumbers::prompt_gen, "PROMPT,GEN");
    list("-d,--n-depth", lists.n_depth, "positions in the context before (default: 0)",
         &BenchNumbers::n_depth);
    list("-b,--batch-size", lists.n_batch, "prompt tokens a step (default: 256)",
         &BenchNumbers::n_batch);
    list("-r,--repetitions", lists.n_repeats, "repetitions of each test (default: 5)",
         &BenchNumbers::n_repeats);
    sub.add_list(Ranks::same, "-t,--threads", "LIST",
                 "threads of each rank (default: the cores this rank is bound to)")
        .looks(Flag::Looks::like_a_number)
        .pieces(lists.n_threads)
        .compared_by([options] { // each rank has its own, but as many tests
            return std::to_string(resolve(options->lists).n_threads.size());
        });
}

void add_models(Subcommand& sub, const std::shared_ptr<BenchOptions>& options) {
    sub.add_list(Ranks::same, "-m,--model", "LIST", "GGUF files; separated by commas")
        .pieces(options->files)
        .compared_by([options] { // loading compares what is in them
            const std::size_t n = file_names(options->files).size();
            return n == 0 ? "none" : counted(n, "file");
        });
    sub.add_list(Ranks::same, "--synthetic", "LIST",
                 "models without files, SHAPE:TYPE each, e.g. llama-3.2-1b:q4_k_m")
        .pieces(options->synthetic);
}

void choose(const std::shared_ptr<BenchOptions>& options, Command& command) {
    if (!options->write.empty()) {
        command.run_alone = [options] { return write_synthetic(*options); };
        return;
    }
    command.timeout_s = options->model.timeout_s;
    if (options->allreduce_table) {
        command.run_with_ranks =
            [options, lengths = allreduce_lengths(options->sizes)](comm::Environment& environment) {
                return bench_allreduce(
                    {options->output, options->model.emulated, options->model.timeout_s, lengths},
                    environment);
            };
        return;
    }
    if (!options->sizes.empty())
        throw UsageError("--sizes goes with --allreduce alone, without a name");
    if (models_of(*options).empty())
        throw UsageError("no model: give -m FILE or --synthetic SHAPE:TYPE");
    command.run_with_ranks = [options,
                              tests = parse_tests(options->lists)](comm::Environment& environment) {
        return bench(*options, tests, environment);
    };
}

} // namespace

void add_bench(Parser& parser) {
    auto options = std::make_shared<BenchOptions>();
    Subcommand& sub = parser.add(
        "bench", "measure tokens per second in llama-bench's tests; lists by comma, ranges as in "
                 "128-512+128 or 1-8*2");
    add_models(sub, options);
    add_lists(sub, options);
    add_compute_options(sub, options->model, &options->allreduce_table);
    sub.add_list(Ranks::same, "--sizes", "LIST",
                 "with --allreduce alone: bytes of floats to add (default: 4-1048576*4)")
        .looks(Flag::Looks::like_a_number)
        .pieces(options->sizes)
        .compared_by([options] {
            return fmt::format("{}", fmt::join(allreduce_lengths(options->sizes), ","));
        });
    add_output_format(sub, options->output, true);
    sub.add_switch(Ranks::same, "--warmup,!--no-warmup", options->warm_up,
                   "run each test once before it counts (default: yes)");
    sub.add_switch(Ranks::same, "--roofline", options->roofline,
                   "measure this machine's read bandwidth and integer rate between the "
                   "repetitions, and print each test's share of them");
    sub.add(Ranks::same, "--write", "FILE",
            "write the synthetic model as a GGUF file and measure nothing")
        .name(options->write);
    sub.add_switch(Ranks::may_differ, "--force", options->force,
                   "with --write: replace an existing file");
    sub.when_called([options](Command& command) { choose(options, command); });
}

} // namespace pillar::cli
