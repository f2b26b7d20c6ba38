// check: the cluster before a run.

#include "options.hpp"
#include "pillar/arguments/parser.hpp"
#include "subcommands.hpp"

#include "pillar/check/check.hpp"

#include <memory>

namespace pillar::cli {

void add_check(Parser& parser) {
    auto options = std::make_shared<check::CheckOptions>();
    Subcommand& sub = parser.add(
        "check", "look at the cluster before a run: nodes, memory, network, the same program and "
                 "model everywhere; write a machine profile for plan");
    session::ModelOptions& model = options->model;
    add_model_or_synthetic(sub, model, false);
    add_context(sub, model);
    add_batch_size(sub, model);
    add_threads(sub, model);
    sub.add(Ranks::may_differ, "--timeout", "S",
            "seconds that a node may stay silent before it is named and the check ends; 0 = 60")
        .real(model.timeout_s, 0, 1e6);
    sub.add(Ranks::may_differ, "-o,--output", "FILE.json", "write a machine profile")
        .name(options->profile);
    sub.add_switch(Ranks::may_differ, "--force", options->force,
                   "with -o: replace an existing file");
    sub.add_switch(Ranks::may_differ, "--json", options->json, "print verdicts and facts as JSON");
    sub.when_called([options](Command& command) {
        command.timeout_s = options->model.timeout_s;
        command.run_with_ranks = [options](comm::Environment& environment) {
            return check::check_cluster(*options, environment);
        };
    });
}

} // namespace pillar::cli
