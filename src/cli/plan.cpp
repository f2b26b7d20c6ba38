// plan: what a model needs and how fast it will be, before anything is started.

#include "arguments/parser.hpp"
#include "model_file.hpp"
#include "plan_rows.hpp"
#include "standard_output.hpp"
#include "subcommands.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/model/tensors.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <memory>

namespace pillar::cli {

namespace {

struct PlanOptions {
    std::vector<std::string> ranks; ///< lists
    std::string profile;
    PlanRequest request;
    std::string format = "md";
};

std::vector<std::size_t> numbers_of_ranks(const PlanOptions& options) {
    if (options.ranks.empty()) return {1, 2, 4, 8};
    return parse_numbers(options.ranks, "--ranks", 1, 1024);
}

int plan(const PlanOptions& options) {
    const ModelOptions& model = options.request.model;
    const perf::MachineProfile profile =
        options.profile.empty() ? perf::MachineProfile() : perf::read_profile(options.profile);
    PlanTable table;
    const gguf::File file = open_model_file(model.model, model.synthetic);
    model::check_tensors(file, model::read_hyperparameters(file));
    table.model = model.synthetic.empty() ? model.model : model.synthetic;
    table.profile = profile.name;
    table.decode_w = profile.power.decode_w;
    const std::vector<std::size_t> ranks = numbers_of_ranks(options);
    for (const std::size_t n_ranks : ranks)
        table.rows.push_back(plan_row(file, profile, options.request, static_cast<int>(n_ranks)));
    table.base =
        base_row(file, profile, options.request, static_cast<int>(std::ranges::max(ranks)));
    table.request = resolved(file, options.request);
    print_text(render(table, options.format));
    return 0;
}

} // namespace

void add_plan(Parser& parser) {
    auto options = std::make_shared<PlanOptions>();
    PlanRequest& request = options->request;
    ModelOptions& model = request.model;
    Subcommand& sub = parser.add(
        "plan", "memory, messages and predicted speed of a model on a number of nodes, one rank "
                "each; computes nothing");
    add_model_or_synthetic(sub, model, true);
    sub.add_list(Ranks::may_differ, "--ranks", "LIST",
                 "numbers of ranks: 1,2,4,8 (default), 1-4, 1-16*2")
        .looks(Flag::Looks::like_a_number)
        .pieces(options->ranks);
    sub.add(Ranks::may_differ, "--profile", "FILE.json",
            "machine profile, as check writes it (default: a Raspberry Pi 4 with 8 GB)")
        .name(options->profile);
    add_context(sub, model);
    add_batch_size(sub, model);
    sub.add(Ranks::may_differ, "-p,--n-prompt", "N", "prompt tokens")
        .whole(request.n_prompt, 1, INT32_MAX)
        .with_default();
    sub.add(Ranks::may_differ, "-d,--n-depth", "N",
            "positions in the context when a token is decoded")
        .whole(request.depth, 0, INT32_MAX)
        .with_default();
    add_cache_type(sub, model);
    sub.add(Ranks::may_differ, "--allreduce", "NAME",
            "auto (the fastest of the first three that the profile predicts), "
            "recursive-doubling, direct, two-step or ring")
        .choice<std::optional<comm::Algorithm>>(
            model.allreduce, {{"auto", std::nullopt},
                              {"recursive-doubling", comm::Algorithm::recursive_doubling},
                              {"direct", comm::Algorithm::direct},
                              {"two-step", comm::Algorithm::two_step},
                              {"ring", comm::Algorithm::ring}})
        .with_default();
    add_wire(sub, model);
    add_output_format(sub, options->format, false);
    sub.expect([options, &model] {
        (void)numbers_of_ranks(*options);
        if (model.allreduce) comm::require_available(*model.allreduce, model.wire);
    });
    sub.when_called(
        [options](Command& command) { command.run_alone = [options] { return plan(*options); }; });
}

} // namespace pillar::cli
