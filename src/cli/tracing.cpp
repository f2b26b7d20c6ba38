#include "tracing.hpp"

#include "arguments/subcommand.hpp"
#include "run_shape.hpp"

#include "pillar/core/log.hpp"
#include "pillar/core/shell.hpp"

#include <cstdlib>
#include <fmt/format.h>
#include <map>
#include <mutex>
#include <utility>

namespace pillar::cli {

namespace {

std::string typed_command;
std::mutex living_mutex; ///< the recorder does not go while the signal thread uses it
trace::Recorder* living = nullptr;

/// The format that holds most of the model's bytes.
std::string quantisation_of(const gguf::File& file) {
    std::map<std::string_view, std::uint64_t> bytes;
    for (const gguf::TensorInfo& tensor : file.tensors())
        bytes[tensor.type->name] += tensor.size_bytes;
    std::string_view most;
    for (const auto& [name, n] : bytes)
        if (most.empty() || n > bytes[most]) most = name;
    return std::string(most);
}

/// "3.1e9,6.2e9"; empty where nothing was measured.
std::string speeds_text(const Split& split) {
    return split.bytes_per_s.empty() ? "" : weights_text(split.bytes_per_s);
}

/// The ids of the Slurm job that this is, where it is one.
void add_job(std::vector<storage::NamedValue>& config) {
    for (const auto& [key, variable] : {std::pair{"slurm_job_id", "SLURM_JOB_ID"},
                                        std::pair{"slurm_array_job_id", "SLURM_ARRAY_JOB_ID"},
                                        std::pair{"slurm_array_task_id", "SLURM_ARRAY_TASK_ID"}})
        if (const char* id = std::getenv(variable); id != nullptr && *id != '\0')
            config.push_back({key, std::string(id)});
}

trace::TraceOptions trace_options(Session& session, const TraceFlags& flags,
                                  std::vector<storage::NamedValue> config) {
    trace::TraceOptions options;
    options.path = flags.path;
    options.force = flags.force;
    options.title = "pillar run";
    options.command_line = command_line();
    options.config = std::move(config);
    options.collectives_per_step = engine::max_collectives(session.transformer());
    options.n_threads = static_cast<std::uint32_t>(session.n_threads());
    return options;
}

} // namespace

void add_trace_options(Subcommand& sub, TraceFlags& flags) {
    sub.add(Ranks::same, "--trace", "FILE.h5", "write a trace of every step, token and rank")
        .name(flags.path)
        .compared_by([&flags] { // rank 0 writes it, all send it what they measure
            return std::string(flags.path.empty() ? "none" : "a trace");
        });
    sub.add_switch(Ranks::may_differ, "--force", flags.force, "replace an existing trace");
}

void remember_command_line(int argc, char** argv) {
    typed_command.clear();
    for (int i = 0; i < argc; ++i) typed_command += (i == 0 ? "" : " ") + shell_word(argv[i]);
}

const std::string& command_line() {
    return typed_command;
}

std::vector<storage::NamedValue> configuration(Session& session, const ModelOptions& options) {
    const model::Transformer& t = session.transformer();
    const auto number = [](auto value) { return storage::Value(static_cast<std::int64_t>(value)); };
    std::vector<storage::NamedValue> config = {
        {"model", t.hyperparameters().name.empty() ? options.model : t.hyperparameters().name},
        {"model_file", options.model},
        {"model_bytes", number(session.file().size_bytes())},
        {"model_hash", fmt::format("{:016x}", session.file().header_hash())},
        {"architecture", t.hyperparameters().architecture},
        {"quantisation", quantisation_of(session.file())},
        {"n_parameters", number(t.n_parameters())},
        {"n_layers", number(t.hyperparameters().n_layers)},
        {"dim", number(t.hyperparameters().dim)},
        {"head_dim", number(t.hyperparameters().head_dim)},
        {"n_context", number(t.options().n_context)},
        {"batch", number(t.options().max_rows)},
        {"kernels", std::string(session.family().name)},
        {"cache_type", std::string(kernels::name_of(options.cache_type))},
        {"allreduce", allreduce_text(options)},
        {"allreduce_decode",
         std::string(comm::name_of(session.allreduce().of(t.hyperparameters().dim)))},
        {"allreduce_prompt", std::string(comm::name_of(session.allreduce().longer))},
        {"allreduce_border_bytes", number(session.allreduce().longest_shorter * sizeof(float))},
        {"wire", std::string(comm::name_of(options.wire))},
        {"emulate_network", network_text(options.emulated)},
        {"split", split_text(options.split)},
        {"split_shares", weights_text(session.split().weights)},
        {"split_bytes_per_s", speeds_text(session.split())},
    };
    const auto costs =
        rank_costs(session.file(), t.hyperparameters(), session.family(), t.options().cache_type,
                   session.comm().size(), session.split().weights);
    for (const perf::RankList& list : perf::rank_lists(costs))
        config.push_back({list.name, list.numbers});
    add_job(config);
    return config;
}

void add_sampling(std::vector<storage::NamedValue>& config, const sampling::Parameters& p) {
    const auto real = [](float value) { return storage::Value(static_cast<double>(value)); };
    config.push_back({"temperature", real(p.temperature)});
    config.push_back({"top_k", storage::Value(std::int64_t{p.top_k})});
    config.push_back({"top_p", real(p.top_p)});
    config.push_back({"min_p", real(p.min_p)});
    config.push_back({"repeat_last_n", storage::Value(std::int64_t{p.repeat_last_n})});
    config.push_back({"repeat_penalty", real(p.repeat_penalty)});
    config.push_back({"frequency_penalty", real(p.frequency_penalty)});
    config.push_back({"presence_penalty", real(p.presence_penalty)});
    config.push_back({"seed", fmt::format("{}", p.seed)});
}

Tracing::Tracing(Session& session, const TraceFlags& flags, std::vector<storage::NamedValue> config)
    : recorder_(session.comm(), trace_options(session, flags, std::move(config))),
      path_(flags.path) {
    const std::lock_guard lock(living_mutex);
    living = &recorder_;
}

Tracing::~Tracing() {
    const std::lock_guard lock(living_mutex);
    living = nullptr;
}

void Tracing::finish(ExitCode code) {
    if (recorder_.finish(code))
        log::root(log::Level::info, "trace    {} (pillar report {})", printable(path_, 4096),
                  shell_word(path_));
}

void flush_trace() noexcept {
    const std::lock_guard lock(living_mutex);
    if (living != nullptr) living->flush_now();
}

} // namespace pillar::cli
