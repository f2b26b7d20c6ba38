#include "options.hpp"

#include "pillar/arguments/subcommand.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/core/text.hpp"
#include "pillar/synthetic/synthetic.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fmt/core.h>

namespace pillar::cli {

namespace {

constexpr const char* table_word = "table";

std::string names_of_families() {
    std::vector<std::string_view> names;
    for (const kernels::Family* family : kernels::families())
        if (family->supported()) names.push_back(family->name);
    return joined(names, ", ");
}

/// Named families but reference give the same bits.
std::string bits_of(const kernels::Family* family) {
    if (family == nullptr) return "auto";
    return family->float_activations ? std::string(family->name) : "of integer";
}

void add_kernels(Subcommand& sub, session::ModelOptions& o) {
    Flag& flag =
        sub.add(Ranks::same, "--kernels", "NAME", "auto, or one of this machine's kernel families");
    flag.read_name(
            [&o, &flag](const std::string& text) {
                o.family = text == "auto" ? nullptr : kernels::find_family(text);
                if (text != "auto" && (o.family == nullptr || !o.family->supported()))
                    throw UsageError(fmt::format("{} {}: this CPU has {}", flag.typed(),
                                                 printable(text), names_of_families()));
            },
            [&o] { return o.family == nullptr ? "auto" : std::string(o.family->name); })
        .compared_by([&o] { return bits_of(o.family); })
        .with_default();
}

using AllreduceWords = std::vector<std::pair<std::string, std::optional<comm::Algorithm>>>;

AllreduceWords allreduce_words() {
    AllreduceWords words = {{"auto", std::nullopt}};
    for (const comm::Algorithm algorithm :
         {comm::Algorithm::recursive_doubling, comm::Algorithm::direct,
          comm::Algorithm::reduce_scatter, comm::Algorithm::ring, comm::Algorithm::mpi})
        words.emplace_back(comm::name_of(algorithm), algorithm);
    return words;
}

void add_allreduce(Subcommand& sub, session::ModelOptions& o) {
    sub.add(
           Ranks::same, "--allreduce", "NAME",
           "how partial sums are added over the ranks: auto (the fastest of the first three "
           "here), recursive-doubling, direct, two-step (reduce-scatter + all-gather), ring or mpi")
        .choice(o.allreduce, allreduce_words())
        .with_default();
}

/// Alone, or with the word table: `table` is set.
void add_allreduce_or_table(Subcommand& sub, session::ModelOptions& o, bool& table) {
    Flag& flag =
        sub.add(Ranks::same, "--allreduce", "NAME",
                "alone, or table: times of all of them on these ranks, without a model; with "
                "another name as in run: what models are measured with");
    flag.choice(o.allreduce, allreduce_words());
    const auto choose = flag.parser();
    flag.read(
            [&table, choose](const std::string& text) {
                table = text == table_word;
                if (!table) choose(text);
            },
            [&o, &table] { return table ? table_word : session::allreduce_text(o); })
        .alone(table_word)
        .with_default();
}

void add_timeout(Subcommand& sub, session::ModelOptions& o) {
    Flag& flag = sub.add(
        Ranks::may_differ, "--timeout", "S",
        "seconds that a rank waits for another one within a step before the silent one ends the "
        "job; 0 = 20 median steps, at least 30 s; -1 = for ever");
    flag.looks(Flag::Looks::like_a_number)
        .read(
            [&flag, &o](const std::string& text) {
                o.timeout_s = arguments::real_number(text, flag.typed(), -1.0, 1e6);
                if (o.timeout_s < 1 && o.timeout_s != 0 && o.timeout_s != -1)
                    throw UsageError(fmt::format("{} {}: give 0, -1, or 1 to 1000000 seconds",
                                                 flag.typed(), printable(text)));
            },
            [&o] { return fmt::format("{}", o.timeout_s); });
}

void expect_together(const session::ModelOptions& o) {
    if (o.allreduce) comm::require_available(*o.allreduce, o.wire);
    if (o.emulated && o.allreduce == comm::Algorithm::mpi)
        throw UsageError("--emulate-network does not go with --allreduce mpi, whose messages are "
                         "Open MPI's own: use another");
}

} // namespace

void add_model_file(Subcommand& sub, std::string& model) {
    sub.add(Ranks::may_differ, "-m,--model", "FILE",
            "GGUF file (required); of a split model any part")
        .name(model);
    sub.expect([&model] {
        if (model.empty()) throw UsageError("no model: give a GGUF file with -m FILE");
    });
}

void add_model_or_synthetic(Subcommand& sub, session::ModelOptions& o, bool is_required,
                            const bool* waived) {
    sub.add(Ranks::same, "-m,--model", "FILE",
            is_required ? "GGUF file; of a split model any part"
                        : "GGUF file that all ranks must have; its memory and its all-reduces are "
                          "looked at too")
        .name(o.model)
        .compared_by([&o] { return std::string(o.model.empty() ? "none" : "a file"); });
    sub.add(Ranks::same, "--synthetic", "SHAPE:TYPE",
            "a model without a file, e.g. llama-3.2-1b:q4_k_m; SHAPE@N: its first N layers")
        .read_name(
            [&o](const std::string& text) { o.synthetic = synthetic::parse_synthetic_name(text); },
            [&o] { return o.synthetic ? o.synthetic->name : ""; });
    sub.expect([&o, is_required, waived] {
        if (!o.model.empty() && o.synthetic)
            throw UsageError("two models are given, -m and --synthetic: leave one out");
        const bool needs_one = is_required && (waived == nullptr || !*waived);
        if (needs_one && o.model.empty() && !o.synthetic)
            throw UsageError("no model: give -m FILE or --synthetic SHAPE:TYPE");
    });
}

void add_context(Subcommand& sub, session::ModelOptions& o) {
    sub.add(Ranks::same, "-c,--ctx-size", "N",
            "context: positions a sequence may have; 0 = min(model's, 4096)")
        .whole(o.n_context, 0, INT32_MAX);
}

void add_batch_size(Subcommand& sub, session::ModelOptions& o) {
    sub.add(Ranks::same, "-b,--batch-size", "N", "prompt tokens a step")
        .whole(o.n_batch, 1, 4096)
        .with_default();
}

void add_threads(Subcommand& sub, session::ModelOptions& o) {
    sub.add(Ranks::may_differ, "-t,--threads", "N",
            "threads of each rank; 0 = the cores this rank is bound to")
        .whole(o.n_threads, 0, 256);
}

void add_cache_type(Subcommand& sub, session::ModelOptions& o) {
    using kernels::CacheType;
    const std::vector<std::pair<std::string, CacheType>> words = {{"f16", CacheType::f16},
                                                                  {"f32", CacheType::f32},
                                                                  {"q8_0", CacheType::q8_0},
                                                                  {"q4_0", CacheType::q4_0}};
    const std::string types = "f16, f32, q8_0 or q4_0";
    sub.add(Ranks::same, "--cache-type", "TYPE", "keys and values in the KV cache: " + types)
        .choice<kernels::CacheTypes>(o.cache_types, {words.begin(), words.end()})
        .with_default();
    sub.add(Ranks::same, "--cache-type-k", "TYPE", "keys alone: " + types)
        .choice<CacheType>(o.cache_types.keys, words);
    sub.add(Ranks::same, "--cache-type-v", "TYPE", "values alone: " + types)
        .choice<CacheType>(o.cache_types.values, words);
}

void add_wire(Subcommand& sub, session::ModelOptions& o) {
    using comm::Wire;
    sub.add(Ranks::same, "--wire", "TYPE",
            "type of the all-reduced values on the network: f32, f16 or q8")
        .choice<Wire>(o.wire, {{"f32", Wire::f32}, {"f16", Wire::f16}, {"q8", Wire::q8}})
        .with_default();
}

void add_output_format(Subcommand& sub, tables::Format& format, bool with_jsonl) {
    using tables::Format;
    std::vector<std::pair<std::string, Format>> words = {
        {"md", Format::md}, {"csv", Format::csv}, {"json", Format::json}};
    if (with_jsonl) words.emplace_back("jsonl", Format::jsonl);
    sub.add(Ranks::may_differ, "-o,--output", "FORMAT",
            with_jsonl ? "md, csv, json or jsonl" : "md, csv or json")
        .choice(format, std::move(words))
        .with_default();
}

void add_model_options(Subcommand& sub, session::ModelOptions& o) {
    add_model_file(sub, o.model);
    add_context(sub, o);
    add_batch_size(sub, o);
    add_threads(sub, o);
    add_compute_options(sub, o);
}

void add_compute_options(Subcommand& sub, session::ModelOptions& o, bool* table) {
    add_kernels(sub, o);
    add_cache_type(sub, o);
    if (table != nullptr)
        add_allreduce_or_table(sub, o, *table);
    else
        add_allreduce(sub, o);
    add_wire(sub, o);
    sub.add(Ranks::same, "--emulate-network", "US,NS",
            "let messages between ranks of this machine arrive no earlier than on a network with "
            "this latency in microseconds and these nanoseconds a byte: 50,8.5")
        .read([&o](const std::string& text) { o.emulated = parse_network(text); },
              [&o] { return o.emulated ? session::network_text(o.emulated) : "none"; });
    sub.add_switch(Ranks::may_differ, "--check-tensors", o.check_tensors,
                   "refuse a model whose weights are not all finite numbers");
    add_timeout(sub, o);
    sub.add(Ranks::same, "--split", "HOW",
            "how the model is shared among the ranks: even; auto (by measured speed, within each "
            "node's memory); one share a rank as in 0.3,0.7; or as in the trace FILE.h5")
        .read([&o](const std::string& text) { o.split = session::parse_split(text); },
              [&o] { return session::split_text(o.split); })
        .compared_by([&o] { // rank 0 alone reads the trace
            return o.split.kind == session::SplitKind::file ? "a trace"
                                                            : session::split_text(o.split);
        })
        .with_default();
    sub.expect([&o] { expect_together(o); });
}

void add_prompt_cache(Subcommand& sub, std::string& file) {
    sub.add(Ranks::same, "--prompt-cache", "FILE",
            "keep what the prompt computes in this file, and begin with what of it is there; any "
            "number of ranks reads it")
        .name(file)
        .compared_by([&file] { // rank 0 reads and writes it
            return std::string(file.empty() ? "none" : "a file");
        });
}

void add_trace_flags(Subcommand& sub, session::TraceFlags& flags) {
    sub.add(Ranks::same, "--trace", "FILE.h5", "write a trace of every step, token and rank")
        .name(flags.path)
        .compared_by([&flags] { // rank 0 writes it, all send it what they measure
            return std::string(flags.path.empty() ? "none" : "a trace");
        });
    sub.add(Ranks::same, "--trace-layers", "N",
            "with --trace: tell of every N-th step what each layer took; 0 = of none")
        .whole(flags.layers, 0, INT32_MAX)
        .with_default();
    sub.expect([&flags] {
        if (flags.layers != 0 && flags.path.empty())
            throw UsageError("--trace-layers goes with --trace FILE.h5");
    });
}

void add_trace_options(Subcommand& sub, session::TraceFlags& flags) {
    add_trace_flags(sub, flags);
    sub.add_switch(Ranks::may_differ, "--force", flags.force, "replace an existing trace");
}

void add_prompt_options(Subcommand& sub, terminal::PromptOptions& o) {
    sub.add(Ranks::may_differ, "-p,--prompt", "TEXT", "the prompt; \"\" is an empty one")
        .looks(Flag::Looks::like_anything)
        .read([&o](const std::string& text) { o.prompt = text; },
              [&o] { return o.prompt.value_or(""); });
    sub.add(Ranks::may_differ, "-f,--file", "FILE",
            "file with the prompt, taken as it is; - is standard input, as with neither -p nor -f")
        .name(o.file);
    sub.add_switch(
        Ranks::may_differ, "--escape,!--no-escape", o.escape,
        "process \\n, \\r, \\t, \\\\, \\\", \\' and \\xHH (a byte) in -p (default: yes)");
    sub.expect([&o] {
        if (o.prompt && !o.file.empty())
            throw UsageError("two prompts are given, -p and -f: leave one out");
    });
}

std::vector<std::string> file_names(const std::string& list, std::string_view flag) {
    std::vector<std::string> names;
    for (std::size_t begin = 0; begin <= list.size();) {
        std::size_t end = list.size(); // the longest name that there is, else the shortest
        while (end != begin && end != std::string::npos &&
               !std::filesystem::exists(list.substr(begin, end - begin)))
            end = list.rfind(',', end - 1);
        if (end == std::string::npos || end <= begin)
            end = std::min(list.find(',', begin), list.size());
        if (end == begin)
            throw UsageError(fmt::format("{} {}: a name is empty", flag, printable(list)));
        names.push_back(list.substr(begin, end - begin));
        begin = end + 1;
    }
    return names;
}

comm::NetworkModel parse_network(const std::string& text) {
    constexpr double most = 1e6; // a second; a kilobyte a second
    double latency_us = -1, ns_per_byte = -1;
    const char* const end = text.data() + text.size();
    const auto first = std::from_chars(text.data(), end, latency_us);
    auto second = first;
    if (first.ec == std::errc() && first.ptr != end && *first.ptr == ',')
        second = std::from_chars(first.ptr + 1, end, ns_per_byte);
    const auto in_range = [](double value) { return value >= 0 && value <= most; };
    if (second.ec != std::errc() || second.ptr != end || !in_range(latency_us) ||
        !in_range(ns_per_byte))
        throw UsageError(fmt::format("--emulate-network {}: give the latency in microseconds and "
                                     "the nanoseconds a byte, both from 0 to 1e6, as in 50,8.5",
                                     text.empty() ? "\"\"" : printable(text)));
    return comm::NetworkModel{latency_us * 1e-6, ns_per_byte * 1e-9};
}

} // namespace pillar::cli
