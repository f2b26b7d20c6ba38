// run: complete a prompt, streaming the text to stdout.

#include "options.hpp"
#include "pillar/arguments/parser.hpp"
#include "subcommands.hpp"

#include "pillar/generate/run.hpp"

#include <memory>

namespace pillar::cli {

void add_run(Parser& parser) {
    auto options = std::make_shared<generate::RunOptions>();
    Subcommand& sub =
        parser.add("run", "complete a prompt; the text goes to stdout, all else to stderr");
    add_model_options(sub, options->model);
    add_prompt_options(sub, options->prompt);
    sub.add(Ranks::may_differ, "-n,--predict,--n-predict", "N",
            "tokens to generate; -1 = until the model ends or the context is full")
        .whole(options->generation.n_predict, -1, INT32_MAX)
        .with_default();
    sub.add_switch(Ranks::same, "--ignore-eos", options->generation.ignore_eos,
                   "never let the model end its answer");
    sub.add_switch(Ranks::may_differ, "--display-prompt,!--no-display-prompt",
                   options->display_prompt,
                   "show the prompt before the answer, on a terminal (default: yes)");
    sub.add_list(Ranks::may_differ, "--stop", "TEXT",
                 "end the answer before this text, escapes as in -p; may be given again")
        .looks(Flag::Looks::like_anything)
        .pieces(options->stops);
    add_prompt_cache(sub, options->prompt_cache);
    add_draft(sub, options->model.draft);
    sub.add_switch(Ranks::may_differ, "-q,--quiet", options->quiet,
                   "of what goes to stderr keep errors, warnings and the tokens per second");
    add_sampling_options(sub, options->generation.sampling, options->seed);
    add_trace_options(sub, options->trace);
    sub.expect([options] { sampling::validate(options->generation.sampling); });
    sub.when_called([options](Command& command) {
        command.timeout_s = options->model.timeout_s;
        command.run_with_ranks = [options](comm::Environment& environment) {
            return generate::run(*options, environment);
        };
    });
}

} // namespace pillar::cli
