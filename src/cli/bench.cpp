// bench: how fast a model is computed here, in llama-bench's tests and tables.

#include "options.hpp"
#include "pillar/arguments/parser.hpp"
#include "subcommands.hpp"

#include "pillar/bench/allreduce_table.hpp"
#include "pillar/bench/bench.hpp"
#include "pillar/bench/dry_run.hpp"
#include "pillar/core/errors.hpp"
#include "pillar/core/text.hpp"
#include "pillar/perf/machine_profile.hpp"

#include <fmt/core.h>
#include <memory>

namespace pillar::cli {

namespace {

constexpr std::size_t max_size = std::size_t{1} << 28; ///< of --sizes

struct BenchArguments {
    bench::BenchOptions bench;
    bool allreduce_table = false;
    std::vector<std::size_t> sizes; ///< of its vectors, in bytes
};
using Arguments = std::shared_ptr<BenchArguments>;

/// The flags that say what to measure. Ranks compare the numbers, however they are written.
void add_lists(Subcommand& sub, bench::BenchLists& lists) {
    constexpr std::size_t most = bench::max_positions;
    const auto list = [&](const char* names, std::vector<std::size_t>& values, std::size_t lowest,
                          std::size_t highest, const char* help) {
        sub.add_list(Ranks::same, names, "LIST", help).numbers(values, lowest, highest);
    };
    list("-p,--n-prompt", lists.n_prompt, 0, most, "prompt tokens (default: 512); 0 = none");
    list("-n,--n-gen", lists.n_gen, 0, most, "tokens to generate (default: 128); 0 = none");
    Flag& both = sub.add_list(Ranks::same, "--prompt-gen", "PROMPT,GEN",
                              "both in one test; may be given again");
    both.looks(Flag::Looks::like_a_number)
        .each(
            [&both, &lists](const std::string& text) {
                const auto pair = arguments::parse_numbers({text}, both.typed(), 1, most);
                if (pair.size() != 2)
                    throw UsageError(fmt::format("{} {}: give two numbers, PROMPT,GEN",
                                                 both.typed(), printable(text)));
                lists.prompt_gen.emplace_back(pair[0], pair[1]);
            },
            [&lists] {
                std::string text;
                for (const auto& [n_prompt, n_gen] : lists.prompt_gen)
                    text += fmt::format("{}{},{}", text.empty() ? "" : ",", n_prompt, n_gen);
                return text;
            });
    list("-d,--n-depth", lists.n_depth, 0, most, "positions in the context before (default: 0)");
    list("-b,--batch-size", lists.n_batch, 1, 4096, "prompt tokens a step (default: 256)");
    list("-r,--repetitions", lists.n_repeats, 1, 1000, "repetitions of each test (default: 5)");
    sub.add_list(Ranks::same, "-t,--threads", "LIST",
                 "threads of each rank (default: the cores this rank is bound to)")
        .numbers(lists.n_threads, 1, 256)
        .compared_by([&lists] { // each rank has its own, but as many tests
            return std::to_string(lists.n_threads.size());
        });
}

void add_models(Subcommand& sub, bench::BenchOptions& options) {
    Flag& files =
        sub.add_list(Ranks::same, "-m,--model", "LIST", "GGUF files; separated by commas");
    files
        .each(
            [&files, &options](const std::string& list) {
                for (std::string& name : file_names(list, files.typed()))
                    options.files.push_back(std::move(name));
            },
            [&options] { return joined(options.files, ","); })
        .compared_by([&options] { // loading compares what is in them
            const std::size_t n = options.files.size();
            return n == 0 ? "none" : counted(n, "file");
        });
    sub.add_list(Ranks::same, "--synthetic", "LIST",
                 "models without files, SHAPE:TYPE each, e.g. llama-3.2-1b:q4_k_m; SHAPE@N: its "
                 "first N layers")
        .each(
            [&options](const std::string& list) {
                for (const std::string_view name : split(list, ','))
                    options.synthetic.push_back(synthetic::parse_synthetic_name(std::string(name)));
            },
            [&options] {
                std::string text;
                for (const synthetic::SyntheticName& one : options.synthetic)
                    text += (text.empty() ? "" : ",") + one.name;
                return text;
            });
}

/// Of the all-reduce table.
void add_sizes(Subcommand& sub, BenchArguments& arguments) {
    arguments.sizes = arguments::parse_numbers({"4-1048576*4"}, "--sizes", 1, max_size);
    Flag& flag = sub.add_list(Ranks::same, "--sizes", "LIST",
                              "with --allreduce alone: bytes of floats to add (default: "
                              "4-1048576*4)");
    flag.numbers(arguments.sizes, sizeof(float), max_size);
    sub.expect([&flag, &arguments] {
        for (const std::size_t n_bytes : arguments.sizes)
            if (n_bytes % sizeof(float) != 0)
                throw UsageError(fmt::format("{} {}: a float has {} bytes, give a multiple",
                                             flag.typed(), n_bytes, sizeof(float)));
        if (flag.is_given() && !arguments.allreduce_table)
            throw UsageError("--sizes goes with --allreduce alone, without a name");
    });
}

/// A job that is not there.
void add_dry_run(Subcommand& sub, bench::BenchOptions& options) {
    bench::DryRunOptions& dry_run = options.dry_run;
    sub.add(Ranks::same, "--dry-run-ranks", "P",
            "compute here what the slowest, the mean and the fastest rank of P would, one after "
            "the other; their messages are predicted, and plan's figures stand beside")
        .whole(dry_run.n_ranks, 2, 1024);
    Flag& profile = sub.add(Ranks::may_differ, "--profile", "NAME",
                            fmt::format("with --dry-run-ranks: what predicts, {}, or FILE.json, as "
                                        "check writes it (default: pi4)",
                                        joined(perf::profile_names(), ", ")));
    profile.name(dry_run.profile);
    Flag& network = sub.add(Ranks::may_differ, "--network", "NAME",
                            fmt::format("with --dry-run-ranks: instead of the profile's network: "
                                        "{}, or FILE.json",
                                        joined(perf::network_names(), ", ")));
    network.name(dry_run.network);
    sub.expect([&options, &profile, &network] {
        if (options.dry_run.n_ranks == 0) {
            for (const Flag* flag : {&profile, &network})
                if (flag->is_given())
                    throw UsageError(fmt::format("{} goes with --dry-run-ranks", flag->typed()));
            return;
        }
        const session::SplitRequest& split = options.model.split;
        const auto refuse = [](bool is_given, const char* flag, const char* why) {
            if (is_given)
                throw UsageError(fmt::format("{}: not with --dry-run-ranks, {}", flag, why));
        };
        refuse(options.roofline, "--roofline", "it measures all ranks together");
        refuse(!options.trace.path.empty(), "--trace", "a trace is of ranks that were there");
        refuse(!options.write.empty(), "--write", "which measures");
        refuse(options.model.emulated.has_value(), "--emulate-network",
               "which sends nothing: give --network");
        refuse(split.kind == session::SplitKind::automatic ||
                   split.kind == session::SplitKind::file,
               "--split", "but even or one share a rank");
        if (split.kind == session::SplitKind::list &&
            split.weights.size() != options.dry_run.n_ranks)
            throw UsageError(
                fmt::format("--split {}: {} for --dry-run-ranks {}", session::split_text(split),
                            counted(split.weights.size(), "share"), options.dry_run.n_ranks));
    });
}

/// Without MPI: the process that prints writes the file.
int write_model(const bench::BenchOptions& options) {
    if (options.synthetic.size() != 1 || !options.files.empty())
        throw UsageError("--write writes one model: give one --synthetic SHAPE:TYPE and no -m");
    if (!prints()) return 0;
    prepare_process(); // Ctrl-C leaves nothing unfinished
    bench::write_synthetic(options);
    return 0;
}

void choose(const Arguments& arguments, Command& command) {
    const bench::BenchOptions& options = arguments->bench;
    if (!options.write.empty()) {
        command.run_alone = [arguments] { return write_model(arguments->bench); };
        return;
    }
    command.timeout_s = options.model.timeout_s;
    if (arguments->allreduce_table) {
        if (options.dry_run.n_ranks > 0)
            throw UsageError("--dry-run-ranks goes with a model; --allreduce alone measures "
                             "without one");
        if (!options.trace.path.empty())
            throw UsageError("--trace goes with a model; --allreduce alone measures without one");
        command.run_with_ranks = [arguments](comm::Environment& environment) {
            const bench::BenchOptions& given = arguments->bench;
            return bench::bench_allreduce(
                {given.output, given.model.emulated, given.model.timeout_s, arguments->sizes},
                environment);
        };
        return;
    }
    if (options.files.empty() && options.synthetic.empty())
        throw UsageError("no model: give -m FILE or --synthetic SHAPE:TYPE");
    if (!options.trace.path.empty() && options.files.size() + options.synthetic.size() > 1)
        throw UsageError("--trace: a trace is of one model; give one -m or --synthetic");
    (void)bench::tests_of(options.lists); // something to measure
    command.run_with_ranks = [arguments](comm::Environment& environment) {
        if (arguments->bench.dry_run.n_ranks > 0)
            return bench::dry_run_models(arguments->bench, environment);
        return bench::bench_models(arguments->bench, environment);
    };
}

} // namespace

void add_bench(Parser& parser) {
    auto arguments = std::make_shared<BenchArguments>();
    bench::BenchOptions& options = arguments->bench;
    Subcommand& sub = parser.add(
        "bench", "measure tokens per second in llama-bench's tests; lists by comma, ranges as in "
                 "128-512+128 or 1-8*2");
    add_models(sub, options);
    add_lists(sub, options.lists);
    add_compute_options(sub, options.model, &arguments->allreduce_table);
    add_sizes(sub, *arguments);
    add_output_format(sub, options.output, true);
    sub.add_switch(Ranks::same, "--warmup,!--no-warmup", options.warm_up,
                   "run each test once before it counts (default: yes)");
    sub.add_switch(Ranks::same, "--roofline", options.roofline,
                   "measure this machine's read bandwidth and integer rate between the "
                   "repetitions, and print each test's share of them");
    sub.add(Ranks::same, "--write", "FILE",
            "write the synthetic model as a GGUF file and measure nothing")
        .name(options.write);
    sub.add_switch(Ranks::may_differ, "--force", options.force,
                   "with --write or --trace: replace an existing file");
    add_trace_flags(sub, options.trace);
    add_dry_run(sub, options);
    sub.when_called([arguments](Command& command) { choose(arguments, command); });
}

} // namespace pillar::cli
