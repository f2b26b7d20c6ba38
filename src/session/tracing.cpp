#include "pillar/session/tracing.hpp"

#include "pillar/core/log.hpp"
#include "pillar/core/text.hpp"
#include "pillar/model/architecture.hpp"
#include "pillar/session/run_shape.hpp"

#include <algorithm>
#include <cstdlib>
#include <fmt/core.h>
#include <map>
#include <mutex>
#include <utility>

namespace pillar::session {

namespace {

std::string typed_command;
std::mutex living_mutex; ///< the recorder does not go while the signal thread uses it
recording::Recorder* living = nullptr;

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

/// The ids of the Slurm job that this is, where it is one.
void add_job(trace::Configuration& config) {
    const auto id_in = [](const char* variable) -> std::string {
        const char* id = std::getenv(variable);
        return id == nullptr ? "" : id;
    };
    if (std::string id = id_in("SLURM_JOB_ID"); !id.empty()) config.set<"slurm_job_id">(id);
    if (std::string id = id_in("SLURM_ARRAY_JOB_ID"); !id.empty())
        config.set<"slurm_array_job_id">(id);
    if (std::string id = id_in("SLURM_ARRAY_TASK_ID"); !id.empty())
        config.set<"slurm_array_task_id">(id);
}

/// Of every rank, without loading anything. Throws FormatError.
std::vector<trace::RankShare> rank_shares(Session& session) {
    const forward::Transformer& t = session.transformer();
    const Placement& placement = session.placement();
    const auto costs =
        rank_costs(session.file(), t.hyperparameters(), session.family(), t.options().cache_types,
                   session.comm().size(), placement.weights);
    std::vector<trace::RankShare> shares(costs.size());
    for (std::size_t rank = 0; rank < costs.size(); ++rank) {
        const forward::StepCost& cost = costs[rank].cost;
        trace::RankShare& share = shares[rank];
        if (!placement.weights.empty()) share.split_share = placement.weights[rank];
        if (!placement.bytes_per_s.empty()) share.split_bytes_per_s = placement.bytes_per_s[rank];
        share.layer_bytes = cost.layer_bytes;
        share.heads_bytes = cost.heads_bytes;
        share.output_bytes = cost.output_bytes;
        share.expert_bytes = cost.expert_bytes;
        share.n_experts = cost.n_experts;
        share.n_experts_used = cost.n_experts_used;
        share.layer_macs = cost.layer_macs;
        share.output_macs = cost.output_macs;
        share.kv_bytes = cost.kv_bytes;
        share.n_heads = costs[rank].n_heads;
    }
    return shares;
}

recording::TraceOptions trace_options(Session& session, const TraceFlags& flags,
                                      RunDescription description) {
    recording::TraceOptions options;
    options.path = flags.path;
    options.force = flags.force;
    options.title = std::move(description.title);
    options.command_line = command_line();
    options.config = std::move(description.config);
    options.config.set<"trace_layers">(flags.layers);
    options.shares = std::move(description.shares);
    options.collectives_per_step = engine::max_collectives(session.transformer());
    if (forward::Transformer* draft = session.draft())
        options.collectives_per_step =
            std::max(options.collectives_per_step, engine::max_collectives(*draft));
    options.n_threads = static_cast<std::uint32_t>(session.max_threads());
    return options;
}

} // namespace

void remember_command_line(int argc, char** argv) {
    typed_command.clear();
    for (int i = 0; i < argc; ++i) typed_command += (i == 0 ? "" : " ") + shell_word(argv[i]);
}

const std::string& command_line() {
    return typed_command;
}

RunDescription describe_run(Session& session, const ModelOptions& options,
                            std::string_view subcommand) {
    const forward::Transformer& t = session.transformer();
    const model::Hyperparameters& h = t.hyperparameters();
    trace::Configuration config;
    config.set<"model">(h.name.empty() ? options.model : h.name);
    config.set<"model_file">(options.model);
    config.set<"model_bytes">(session.file().size_bytes());
    config.set<"model_hash">(fmt::format("{:016x}", session.file().header_hash()));
    config.set<"architecture">(std::string(h.architecture->name));
    config.set<"quantisation">(quantisation_of(session.file()));
    config.set<"n_parameters">(session.model().plan.n_parameters);
    config.set<"n_layers">(h.n_layers);
    config.set<"dim">(h.dim);
    config.set<"head_dim">(h.head_dim);
    config.set<"window">(h.window);
    config.set<"n_window_layers">(static_cast<std::size_t>(
        std::ranges::count_if(h.layers, [](const auto& layer) { return layer.window != 0; })));
    config.set<"n_joint_norm_layers">(model::n_joint_norms(h));
    config.set<"n_context">(t.options().n_context);
    config.set<"batch">(t.options().max_rows);
    config.set<"kernels">(session.family().name);
    config.set<"cache_type">(kernels::name_of(options.cache_types));
    config.set<"allreduce">(allreduce_text(options));
    config.set<"allreduce_decode">(comm::name_of(session.allreduce().of(h.dim)));
    config.set<"allreduce_prompt">(comm::name_of(session.allreduce().longer));
    config.set<"allreduce_border_bytes">(session.allreduce().max_shorter * sizeof(float));
    config.set<"wire">(comm::name_of(options.wire));
    config.set<"emulate_network">(network_text(options.emulated));
    config.set<"split">(split_text(options.split));
    config.set<"draft">(draft_text(options.draft));
    add_job(config);
    return {config, rank_shares(session), fmt::format("pillar {}", subcommand)};
}

void add_sampling(trace::Configuration& config, const sampling::Parameters& p) {
    config.set<"temperature">(p.temperature);
    config.set<"top_k">(p.top_k);
    config.set<"top_p">(p.top_p);
    config.set<"min_p">(p.min_p);
    config.set<"repeat_last_n">(p.repeat_last_n);
    config.set<"repeat_penalty">(p.repeat_penalty);
    config.set<"frequency_penalty">(p.frequency_penalty);
    config.set<"presence_penalty">(p.presence_penalty);
    config.set<"seed">(fmt::format("{}", p.seed));
}

Tracing::Tracing(Session& session, const TraceFlags& flags, RunDescription description)
    : recorder_(session.comm(), trace_options(session, flags, std::move(description))),
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

} // namespace pillar::session
