// plan: what a model needs and how fast it will be, before anything is started.

#include "model_file.hpp"
#include "plan_rows.hpp"
#include "subcommands.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/model/tensors.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <memory>

namespace pillar::cli {

namespace {

struct PlanOptions {
    std::string model;
    std::string synthetic;
    std::vector<int> ranks = {1, 2, 4, 8};
    std::string profile;
    PlanRequest request;
    std::string format = "md";
};

int plan(const PlanOptions& options) {
    if (options.model.empty() && options.synthetic.empty())
        throw UsageError("no model: give -m FILE or --synthetic SHAPE:TYPE");
    if (const auto algorithm = parse_algorithm(options.request.model.allreduce))
        comm::require_available(*algorithm, parse_wire(options.request.model.wire));
    const perf::MachineProfile profile =
        options.profile.empty() ? perf::MachineProfile() : perf::read_profile(options.profile);
    PlanTable table;
    const gguf::File file = open_model_file(options.model, options.synthetic);
    model::check_tensors(file, model::read_hyperparameters(file));
    table.model = options.synthetic.empty() ? options.model : options.synthetic;
    table.profile = profile.name;
    for (const int n_ranks : options.ranks)
        table.rows.push_back(plan_row(file, profile, options.request, n_ranks));
    table.request = resolved(file, options.request);
    if (prints()) fmt::print("{}", render(table, options.format));
    return 0;
}

} // namespace

void add_plan(CLI::App& app, Command& command) {
    auto options = std::make_shared<PlanOptions>();
    PlanRequest& request = options->request;
    CLI::App* sub = app.add_subcommand(
        "plan", "memory, messages and predicted speed of a model on a number of nodes, one rank "
                "each; computes nothing");
    auto* file =
        sub->add_option("-m,--model", options->model, "GGUF file; of a split model any part")
            ->type_name("FILE");
    sub->add_option("--synthetic", options->synthetic,
                    "a model without a file, e.g. llama-3.2-1b:q4_k_m")
        ->excludes(file)
        ->type_name("SHAPE:TYPE");
    sub->add_option("--ranks", options->ranks, "numbers of ranks, separated by commas")
        ->delimiter(',')
        ->check(CLI::Range(1, 1024))
        ->type_name("LIST")
        ->capture_default_str();
    sub->add_option("--profile", options->profile,
                    "machine profile, as check writes it (default: a Raspberry Pi 4 with 8 GB)")
        ->type_name("FILE.json");
    sub->add_option("-c,--ctx-size", request.model.n_context,
                    "context: positions a sequence may have; 0 = min(model's, 4096)")
        ->check(CLI::Range(std::size_t{0}, std::size_t{INT32_MAX}))
        ->type_name("N");
    sub->add_option("-b,--batch-size", request.model.n_batch, "prompt tokens a step")
        ->check(CLI::Range(1, 4096))
        ->type_name("N")
        ->capture_default_str();
    sub->add_option("-p,--n-prompt", request.n_prompt, "prompt tokens")
        ->check(CLI::Range(std::size_t{1}, std::size_t{INT32_MAX}))
        ->type_name("N")
        ->capture_default_str();
    sub->add_option("-d,--n-depth", request.depth,
                    "positions in the context when a token is decoded")
        ->check(CLI::Range(std::size_t{0}, std::size_t{INT32_MAX}))
        ->type_name("N")
        ->capture_default_str();
    sub->add_option("--cache-type", request.model.cache_type, "KV cache: f16, f32 or q8_0")
        ->check(CLI::IsMember({"f16", "f32", "q8_0"}))
        ->type_name("TYPE")
        ->capture_default_str();
    sub->add_option("--allreduce", request.model.allreduce,
                    "auto (the fastest of the first three that the profile predicts), "
                    "recursive-doubling, direct, two-step or ring")
        ->check(CLI::IsMember({"auto", "recursive-doubling", "direct", "two-step", "ring"}))
        ->type_name("NAME")
        ->capture_default_str();
    sub->add_option("--wire", request.model.wire,
                    "type of the all-reduced values on the network: f32, f16 or q8")
        ->check(CLI::IsMember({"f32", "f16", "q8"}))
        ->type_name("TYPE")
        ->capture_default_str();
    sub->add_option("-o,--output", options->format, "md, csv or json")
        ->check(CLI::IsMember({"md", "csv", "json"}))
        ->type_name("FORMAT")
        ->capture_default_str();
    sub->callback(
        [options, &command] { command.run_alone = [options] { return plan(*options); }; });
}

} // namespace pillar::cli
