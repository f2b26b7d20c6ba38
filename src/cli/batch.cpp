// batch: requests of a file in, results of a file out.

#include "options.hpp"
#include "pillar/arguments/parser.hpp"
#include "subcommands.hpp"

#include "pillar/batch/batch.hpp"
#include "pillar/core/errors.hpp"

#include <charconv>
#include <fmt/core.h>
#include <memory>

namespace pillar::cli {

namespace {

/// "I/N"
batch::Shard parse_shard(const std::string& text, std::string_view typed) {
    batch::Shard shard;
    const std::size_t slash = text.find('/');
    const auto whole = [&](std::string_view part, std::uint64_t& number) {
        const auto [end, failure] = std::from_chars(part.data(), part.data() + part.size(), number);
        return failure == std::errc() && end == part.data() + part.size() && !part.empty();
    };
    if (slash == std::string::npos ||
        !whole(std::string_view(text).substr(0, slash), shard.index) ||
        !whole(std::string_view(text).substr(slash + 1), shard.count) || shard.count == 0 ||
        shard.index >= shard.count)
        throw UsageError(fmt::format("{} {}: give I/N with I from 0 to N - 1, for example 0/4",
                                     typed, printable(text)));
    return shard;
}

} // namespace

void add_batch(Parser& parser) {
    auto options = std::make_shared<batch::BatchOptions>();
    Subcommand& sub = parser.add(
        "batch", "answer a file of requests (OpenAI's batch format); goes on where it was stopped");
    add_model_options(sub, options->model);
    sub.add(Ranks::may_differ, "-i,--input", "FILE", "requests, a JSON object a line; - = stdin")
        .name(options->input);
    sub.add(Ranks::may_differ, "-o,--output", "FILE",
            "results, a line each as they end; those that are there already are not computed "
            "again; - = stdout")
        .name(options->output);
    sub.add(Ranks::same, "--parallel", "N", "requests that are computed at a time")
        .whole(options->n_parallel, 1, 256)
        .with_default();
    sub.add(Ranks::same, "--kv-memory", "MB",
            "memory of each rank for the keys and values of all requests together; 0 = what there "
            "is beside all else")
        .read(
            [options](const std::string& text) {
                options->model.kv_memory = static_cast<std::uint64_t>(arguments::whole_number(
                                               text, "--kv-memory", 0, INT32_MAX))
                                           << 20;
            },
            [options] { return std::to_string(options->model.kv_memory >> 20); })
        .looks(Flag::Looks::like_a_number)
        .with_default();
    sub.add(Ranks::may_differ, "-n,--predict,--n-predict", "N",
            "tokens of an answer that asks for no number; -1 = until the model ends or the context "
            "is full")
        .whole(options->n_predict, -1, INT32_MAX)
        .with_default();
    Flag& shard = sub.add(Ranks::may_differ, "--shard", "I/N",
                          "lines I, I+N, I+2N ... of the input, counted from 0; by default those "
                          "of this task where a Slurm array runs it");
    shard.read([options, &shard](
                   const std::string& text) { options->shard = parse_shard(text, shard.typed()); },
               [options] {
                   return options->shard
                              ? fmt::format("{}/{}", options->shard->index, options->shard->count)
                              : std::string();
               });
    add_prompt_cache(sub, options->prompt_cache);
    sub.add(Ranks::may_differ, "--fsync", "WHEN",
            "when results are safe on the disk: line, second or never (as the system likes)")
        .choice(options->sync, {{"line", batch::Sync::line},
                                {"second", batch::Sync::second},
                                {"never", batch::Sync::never}})
        .with_default();
    sub.add(Ranks::may_differ, "--chat-template", "NAME",
            "of chats, by name; by default the model's own")
        .read_name([options](const std::string& text) { options->chat_template = text; },
                   [options] { return options->chat_template.value_or(""); });
    add_draft(sub, options->model.draft);
    add_sampling_options(sub, options->sampling, options->seed);
    add_trace_options(sub, options->trace);
    sub.expect([options] {
        if (options->input.empty()) throw UsageError("no requests: give a file with -i FILE");
        if (options->output.empty())
            throw UsageError("no place for the results: give a file with -o FILE");
        sampling::validate(options->sampling);
    });
    sub.when_called([options](Command& command) {
        command.timeout_s = options->model.timeout_s;
        command.run_with_ranks = [options](comm::Environment& environment) {
            return batch::run_batch(*options, environment);
        };
    });
}

} // namespace pillar::cli
