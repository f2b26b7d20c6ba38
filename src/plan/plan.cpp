#include "pillar/plan/plan.hpp"

#include "rows.hpp"
#include "tables.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/core/text.hpp"
#include "pillar/model/tensors.hpp"
#include "pillar/quant/mix.hpp"
#include "pillar/session/model_file.hpp"

#include <algorithm>
#include <fmt/core.h>

namespace pillar::plan {

namespace {

gguf::File open_checked(const session::ModelOptions& model) {
    gguf::File file = session::open_model_file(model);
    model::check_tensors(file, model::read_hyperparameters(file));
    return file;
}

perf::MachineProfile profile_of(const std::string& path_or_name, const PlanOptions& options) {
    perf::MachineProfile profile = perf::read_profile(path_or_name);
    if (!options.network.empty()) perf::read_network(options.network, profile);
    return profile;
}

/// The nodes that --nodes names, or equal ones.
perf::Cluster cluster_of(const PlanOptions& options) {
    if (options.nodes.empty())
        return {{profile_of(options.profiles.empty() ? "pi4" : options.profiles.front(), options)},
                {}};
    perf::Cluster cluster;
    std::vector<std::string> kinds;
    for (const std::string& node : options.nodes) {
        const auto kind = std::ranges::find(kinds, node);
        cluster.nodes.push_back(static_cast<std::size_t>(kind - kinds.begin()));
        if (kind != kinds.end()) continue;
        kinds.push_back(node);
        cluster.kinds.push_back(profile_of(node, options));
    }
    return cluster;
}

std::vector<std::size_t> ranks_of(const PlanOptions& options) {
    const std::size_t n_nodes = options.nodes.size();
    if (!options.ranks.empty()) {
        const std::size_t most = std::ranges::max(options.ranks);
        if (n_nodes > 0 && most > n_nodes)
            throw UsageError(
                fmt::format("--ranks {}: --nodes has {}", most, counted(n_nodes, "node")));
        return options.ranks;
    }
    if (n_nodes > 0) return {n_nodes};
    const session::SplitRequest& split = options.request.model.split;
    if (split.kind == session::SplitKind::list) return {split.weights.size()};
    return {1, 2, 4, 8};
}

std::string names_of(const perf::Cluster& cluster) {
    std::vector<std::string> names;
    for (std::size_t kind = 0; kind < cluster.kinds.size(); ++kind) {
        const auto n = std::ranges::count(cluster.nodes, kind);
        names.push_back(cluster.kinds.size() == 1
                            ? cluster.kinds[kind].name
                            : fmt::format("{} × {}", n, cluster.kinds[kind].name));
    }
    return joined(names, " and ");
}

PlanTable table_of(const PlanOptions& options) {
    const session::ModelOptions& model = options.request.model;
    const perf::Cluster cluster = cluster_of(options);
    const std::vector<std::size_t> ranks = ranks_of(options);
    const gguf::File file = open_checked(model);
    PlanTable table;
    table.model = session::model_name(model);
    table.profile = names_of(cluster);
    for (const perf::MachineProfile& kind : cluster.kinds) {
        table.decode_w.push_back(kind.power.decode_w);
        table.has_ranges = table.has_ranges || !kind.ranges.empty();
    }
    table.request = resolved(file, options.request);
    std::optional<gguf::File> draft_file;
    Draft draft;
    if (const std::optional<DraftRequest>& asked = table.request.draft) {
        table.draft = "the text so far";
        draft.request = table.request;
        if (asked->has_model()) {
            table.draft = session::model_name(asked->model);
            draft_file = open_checked(asked->model);
            const std::size_t theirs = model::read_hyperparameters(*draft_file).vocab_size;
            const std::size_t ours = model::read_hyperparameters(file).vocab_size;
            if (theirs != ours)
                throw FormatError(table.draft, "vocabulary", std::nullopt,
                                  fmt::format("has {} tokens, that of {} has {}: a model proposes "
                                              "tokens of the same vocabulary",
                                              theirs, printable(table.model), ours));
            draft.file = &*draft_file;
        }
    }
    for (const std::size_t n_ranks : ranks)
        table.rows.push_back(
            plan_row(file, cluster, table.request, static_cast<int>(n_ranks), &draft));
    const std::size_t most = options.nodes.empty() ? std::ranges::max(ranks) : options.nodes.size();
    table.base = base_row(file, cluster, options.request, static_cast<int>(most));
    table.slow = model::slow_formats(file);
    return table;
}

/// Sizes that boards are bought for, where nothing else is asked for.
constexpr const char* usual_models[] = {
    "qwen3-0.6b", "llama-3.2-1b", "gemma-3-1b", "qwen3-1.7b", "llama-3.2-3b",  "qwen3-4b",
    "gemma-3-4b", "llama-3.1-8b", "qwen3-8b",   "bonsai-8b",  "qwen3-30b-a3b", "gpt-oss-20b"};

/// What files of such a model have: those trained for a format have no other.
std::vector<std::string> usual_formats(const std::string& model) {
    if (model.starts_with("bonsai")) return {"q1_0"};
    if (model.starts_with("gpt-oss")) return {"mxfp4"};
    return {"q4_0", "q4_k_m", "q8_0"};
}

std::vector<session::ModelOptions> models_of(const PlanOptions& options) {
    const session::ModelOptions& asked = options.request.model;
    if (asked.synthetic || !asked.model.empty()) return {asked};
    const GridRequest& grid = *options.grid;
    std::vector<std::string> names = grid.models;
    if (names.empty()) names.assign(std::begin(usual_models), std::end(usual_models));
    if (names == std::vector<std::string>{"all"}) {
        names.clear();
        for (const synthetic::Shape& shape : synthetic::shapes()) names.emplace_back(shape.name);
    }
    std::vector<session::ModelOptions> models;
    for (const std::string& name : names)
        for (const std::string& format :
             grid.formats.empty() ? usual_formats(name) : grid.formats) {
            models.push_back(asked);
            models.back().synthetic = synthetic::parse_synthetic_name(name + ":" + format);
        }
    return models;
}

std::vector<GridRow> grid_of(const PlanOptions& options) {
    std::vector<perf::Cluster> boards;
    for (const std::string& profile :
         options.profiles.empty() ? std::vector<std::string>{"pi4"} : options.profiles)
        boards.push_back({{profile_of(profile, options)}, {}});
    const std::vector<std::size_t> ranks = ranks_of(options);
    std::vector<GridRow> grid;
    for (const session::ModelOptions& model : models_of(options)) {
        const gguf::File file = open_checked(model);
        double file_bytes = 0;
        for (const gguf::TensorInfo& tensor : file.tensors())
            file_bytes += static_cast<double>(tensor.size_bytes);
        PlanRequest request = options.request;
        request.model = model;
        for (const perf::Cluster& board : boards)
            for (const std::size_t n_ranks : ranks)
                grid.push_back(
                    {model.synthetic ? title_of(model.synthetic->shape)
                                     : session::model_name(model),
                     model.synthetic ? std::string(quant::info(model.synthetic->mix).title) : "",
                     board.kinds.front().name, file_bytes,
                     plan_row(file, board, request, static_cast<int>(n_ranks))});
    }
    return grid;
}

} // namespace

std::string plan_text(const PlanOptions& options) {
    if (options.grid) return render(grid_of(options), options.request, options.format);
    return render(table_of(options), options.format);
}

} // namespace pillar::plan
