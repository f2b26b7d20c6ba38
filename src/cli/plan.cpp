// plan: what a model needs and how fast it will be, before anything is started.

#include "options.hpp"
#include "pillar/arguments/parser.hpp"
#include "subcommands.hpp"

#include "pillar/comm/schedule.hpp"
#include "pillar/plan/plan.hpp"

#include <cstdint>
#include <memory>

namespace pillar::cli {

void add_plan(Parser& parser) {
    auto options = std::make_shared<plan::PlanOptions>();
    plan::PlanRequest& request = options->request;
    session::ModelOptions& model = request.model;
    Subcommand& sub = parser.add(
        "plan", "memory, messages and predicted speed of a model on a number of nodes, one rank "
                "each; computes nothing");
    add_model_or_synthetic(sub, model, true);
    sub.add_list(Ranks::may_differ, "--ranks", "LIST",
                 "numbers of ranks: 1,2,4,8 (default), 1-4, 1-16*2")
        .numbers(options->ranks, 1, 1024);
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
            "recursive-doubling, direct, two-step (reduce-scatter + all-gather) or ring")
        .choice<std::optional<comm::Algorithm>>(
            model.allreduce, {{"auto", std::nullopt},
                              {"recursive-doubling", comm::Algorithm::recursive_doubling},
                              {"direct", comm::Algorithm::direct},
                              {"two-step", comm::Algorithm::reduce_scatter},
                              {"ring", comm::Algorithm::ring}})
        .with_default();
    add_wire(sub, model);
    add_output_format(sub, options->format, false);
    sub.expect([&model] {
        if (model.allreduce) comm::require_available(*model.allreduce, model.wire);
    });
    sub.when_called([options](Command& command) {
        command.run_alone = [options] {
            print_text(plan::plan_text(*options));
            return 0;
        };
    });
}

} // namespace pillar::cli
