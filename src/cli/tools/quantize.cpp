// quantize: a model's file → the same model in smaller formats.

#include "options.hpp"
#include "pillar/arguments/parser.hpp"
#include "subcommands.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/core/log.hpp"
#include "pillar/core/text.hpp"
#include "pillar/core/timing.hpp"
#include "pillar/quantize/quantize.hpp"
#include "pillar/terminal/progress.hpp"
#include "pillar/terminal/streams.hpp"
#include "pillar/threads/team.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fmt/core.h>
#include <memory>

namespace pillar::cli {

namespace {

struct QuantizeArguments {
    std::vector<std::string> words;
    quantize::Options options;
    std::string output_type;
    std::string embedding_type;
    std::vector<std::string> tensor_types;
    std::string split_max_size;
    int n_threads = 0;
};

bool is_same_word(std::string_view a, std::string_view b) {
    return std::ranges::equal(
        a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

/// By the name that files and tables have: q4_K, in upper or lower case.
quant::Type type_named(std::string_view name, const std::string& flag) {
    std::string known;
    for (const quant::Type type : quant::all_types) {
        if (quant::is_grid(type)) continue;
        const std::string_view type_name = quant::info(type).name;
        if (is_same_word(name, type_name)) return type;
        known += (known.empty() ? "" : ", ") + std::string(type_name);
    }
    throw UsageError(
        fmt::format("{}: no type \"{}\"; there are: {}", flag, printable(name), known));
}

/// Short names that llama-quantize has too.
std::string_view full_name(std::string_view name) {
    constexpr std::pair<std::string_view, std::string_view> short_names[] = {
        {"Q3_K", "Q3_K_M"}, {"Q4_K", "Q4_K_M"}, {"Q5_K", "Q5_K_M"}, {"MXFP4_MOE", "MXFP4"}};
    for (const auto& [name_short, name_full] : short_names)
        if (is_same_word(name, name_short)) return name_full;
    return name;
}

void set_mix(quantize::Options& options, const std::string& name) {
    const quant::MixInfo* mix = quant::find_mix(full_name(name));
    if (mix == nullptr) {
        std::string known;
        for (const quant::MixInfo& entry : quant::mixes())
            known += (known.empty() ? "" : ", ") + std::string(entry.title);
        throw UsageError(
            fmt::format("no type \"{}\"; there are: {}, MXFP4_MOE", printable(name), known));
    }
    options.mix = mix->mix;
    options.experts_alone = is_same_word(name, "MXFP4_MOE");
}

/// "2G", "500M": decimal, as gguf-split counts.
std::uint64_t bytes_of_size(const std::string& text) {
    constexpr std::string_view flag = "--split-max-size";
    const char unit = text.empty() ? '\0' : text.back();
    if (unit != 'M' && unit != 'G')
        throw UsageError(fmt::format("{} {}: give megabytes or gigabytes, as 500M or 2G", flag,
                                     printable(text)));
    const std::int64_t number =
        arguments::whole_number(text.substr(0, text.size() - 1), flag, 1, 1'000'000);
    return static_cast<std::uint64_t>(number) * (unit == 'M' ? 1'000'000u : 1'000'000'000u);
}

/// "REGEX=TYPE"; the type stands behind the last '='.
quantize::TensorType tensor_type(const std::string& text) {
    const std::size_t equals = text.rfind('=');
    if (equals == std::string::npos || equals == 0)
        throw UsageError(
            fmt::format("--tensor-type {}: give REGEX=TYPE, as attn_v=q8_0", printable(text)));
    return {text.substr(0, equals), type_named(text.substr(equals + 1), "--tensor-type")};
}

void read_arguments(QuantizeArguments& arguments) {
    quantize::Options& options = arguments.options;
    if (arguments.words.size() != 3)
        throw UsageError("quantize takes a model, the file to write and a type: pillar quantize "
                         "IN.gguf OUT.gguf Q4_K_M");
    options.input = arguments.words[0];
    options.output = arguments.words[1];
    set_mix(options, arguments.words[2]);
    if (!arguments.output_type.empty())
        options.output_type = type_named(arguments.output_type, "--output-tensor-type");
    if (!arguments.embedding_type.empty())
        options.embedding_type = type_named(arguments.embedding_type, "--token-embedding-type");
    if (options.output_type && options.leave_output)
        throw UsageError("--leave-output-tensor and --output-tensor-type say different things of "
                         "one tensor: give one of them");
    for (const std::string& text : arguments.tensor_types)
        options.tensor_types.push_back(tensor_type(text));
    if (!arguments.split_max_size.empty())
        options.split_max_bytes = bytes_of_size(arguments.split_max_size);
    options.n_threads = arguments.n_threads > 0 ? arguments.n_threads : threads::available_cpus();
}

void warn(const quantize::Summary& summary) {
    const std::size_t n = summary.unknown_to_importance.size();
    if (n > 0)
        log::warning("the importance matrix knows nothing of {}, {}{}; their errors count alike",
                     counted(n, "matrix"), printable(summary.unknown_to_importance.front()),
                     n > 1 ? " the first" : "");
}

int run_quantize(const QuantizeArguments& arguments) {
    if (!prints())
        return 0; // one process writes: others that mpirun has started have nothing to do
    const quantize::Options& options = arguments.options;
    if (options.dry_run) {
        const quantize::Summary summary = quantize::plan(options);
        warn(summary);
        print_text(quantize::summary_text(summary, true));
        return 0;
    }
    prepare_process(); // Ctrl-C leaves nothing unfinished
    const Stopwatch clock;
    std::uint64_t total = 0;
    for (const std::string& part : gguf::files_of_model(options.input)) {
        std::error_code is_missing; // told by whoever opens it
        const std::uintmax_t size = std::filesystem::file_size(part, is_missing);
        total = std::max<std::uint64_t>(total, is_missing ? 0 : size);
    }
    terminal::ProgressBar bar("quantize", total,
                              terminal::on_terminal() ? terminal::ProgressStyle::bar
                                                      : terminal::ProgressStyle::lines);
    const quantize::Summary summary =
        quantize::quantize(options, [&bar](std::uint64_t done) { bar.show(done); });
    warn(summary);
    print_text(quantize::summary_text(summary, false) +
               fmt::format("  {:.1f} s on {}\n", clock.elapsed_s(),
                           counted(static_cast<std::size_t>(options.n_threads), "thread")));
    return 0;
}

void add_types(Subcommand& sub, QuantizeArguments& arguments) {
    quantize::Options& options = arguments.options;
    sub.add_switch(Ranks::may_differ, "--pure", options.pure,
                   "every matrix in the type's own format, without the mix's exceptions");
    sub.add_switch(Ranks::may_differ, "--leave-output-tensor", options.leave_output,
                   "output.weight stays as it is");
    sub.add(Ranks::may_differ, "--output-tensor-type", "TYPE",
            "format of the output matrix, also where it is the embedding (q6_k, f16, …)")
        .name(arguments.output_type);
    sub.add(Ranks::may_differ, "--token-embedding-type", "TYPE", "format of the token embedding")
        .name(arguments.embedding_type);
    sub.add_list(Ranks::may_differ, "--tensor-type", "REGEX=TYPE",
                 "format of the matrices whose name REGEX is found in; the first that matches "
                 "counts")
        .pieces(arguments.tensor_types);
}

} // namespace

void add_quantize(Parser& parser) {
    auto arguments = std::make_shared<QuantizeArguments>();
    quantize::Options& options = arguments->options;
    Subcommand& sub =
        parser.add("quantize", "write a model in smaller formats: IN.gguf OUT.gguf TYPE, from "
                               "F32, F16, BF16 or Q8_0 to Q4_K_M and so on; one process");
    sub.add_words("files", arguments->words, "IN OUT TYPE",
                  "model (of a split one any part), the file to write, and the type or mix: F16 "
                  "BF16 Q8_0 Q6_K Q5_K_M Q5_K_S Q5_1 Q5_0 Q4_K_M Q4_K_S Q4_1 Q4_0 IQ4_NL IQ4_XS "
                  "MXFP4 MXFP4_MOE Q3_K_L Q3_K_M Q3_K_S Q2_K Q2_0 TQ2_0 TQ1_0 Q1_0");
    sub.add(Ranks::may_differ, "--imatrix", "FILE",
            "importance matrix of this model (GGUF, or llama.cpp's old .dat): what each column's "
            "errors count")
        .name(options.importance);
    add_types(sub, *arguments);
    sub.add_switch(Ranks::may_differ, "--allow-requantize", options.allow_requantize,
                   "take sources with fewer than 8 bits too; loses more than quantising the "
                   "original");
    sub.add(Ranks::may_differ, "--split-max-size", "SIZE",
            "several files with at most so much tensor data each (500M, 2G): "
            "OUT-00001-of-00003.gguf and so on")
        .name(arguments->split_max_size);
    sub.add(Ranks::may_differ, "-t,--threads", "N", "threads; 0 = the CPUs of this process")
        .whole(arguments->n_threads, 0, 256);
    sub.add_switch(Ranks::may_differ, "--dry-run", options.dry_run,
                   "print each tensor's format and the sizes, write nothing");
    sub.add_switch(Ranks::may_differ, "--force", options.replace, "replace existing files");
    sub.expect([arguments] { read_arguments(*arguments); });
    sub.when_called([arguments](Command& command) {
        command.run_alone = [arguments] { return run_quantize(*arguments); };
    });
}

} // namespace pillar::cli
