// perplexity: how well a model predicts a text, and how far it is from another model.

#include "options.hpp"
#include "pillar/arguments/parser.hpp"
#include "subcommands.hpp"
#include "tools/text_options.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/evaluate/perplexity.hpp"

#include <memory>

namespace pillar::cli {

void add_perplexity(Parser& parser) {
    auto options = std::make_shared<evaluate::PerplexityOptions>();
    auto logits_file = std::make_shared<std::string>();
    options->model.n_context = evaluate::usual_window;
    Subcommand& sub = parser.add(
        "perplexity", "how well a model predicts a text, and how far it is from another model");
    add_model_file(sub, options->model.model);
    add_text(sub, options->text);
    add_window(sub, options->model);
    add_chunks(sub, options->n_chunks);
    sub.add(Ranks::same, "--ppl-stride", "N",
            "windows begin N tokens after each other, are N/2 longer, and the last N of each are "
            "scored; 0 = side by side, the second half of each is scored")
        .whole(options->stride, 0, INT32_MAX)
        .with_default();
    sub.add(Ranks::same, "-o,--output", "FILE.h5",
            "keep each token's score there; a run that was stopped goes on from it")
        .name(options->output)
        .compared_by(
            [options] { return std::string(options->output.empty() ? "none" : "a file"); });
    sub.add(Ranks::same, "--save-logits", "FILE.h5",
            "the same with the logits of every scored token, to compare other models with")
        .name(*logits_file)
        .compared_by(
            [logits_file] { return std::string(logits_file->empty() ? "none" : "a file"); });
    sub.add(Ranks::same, "--kl-divergence-base", "FILE.h5",
            "compare with the model whose logits --save-logits has put there, on the text of that "
            "file: Kullback-Leibler divergence, how often the same token is most probable")
        .name(options->base)
        .compared_by([options] { return std::string(options->base.empty() ? "none" : "a file"); });
    sub.add_switch(Ranks::may_differ, "--force", options->force,
                   "overwrite an existing file, and do not go on from what a stopped run has left");
    add_batch_size(sub, options->model);
    add_threads(sub, options->model);
    add_compute_options(sub, options->model);
    sub.expect([options, logits_file] {
        if (!logits_file->empty()) {
            if (!options->output.empty())
                throw UsageError("-o and --save-logits both name the file of scores: --save-logits "
                                 "writes all that -o does; leave one out");
            options->output = *logits_file;
            options->saves_logits = true;
        }
        evaluate::validate(*options);
    });
    sub.when_called([options](Command& command) {
        command.timeout_s = options->model.timeout_s;
        command.run_with_ranks = [options](comm::Environment& environment) {
            return evaluate::measure_perplexity(*options, environment);
        };
    });
}

} // namespace pillar::cli
