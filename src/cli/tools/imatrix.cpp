// imatrix: the importance matrix of a model, for quantize.

#include "options.hpp"
#include "pillar/arguments/parser.hpp"
#include "subcommands.hpp"
#include "tools/text_options.hpp"

#include "pillar/evaluate/imatrix.hpp"

#include <memory>

namespace pillar::cli {

void add_imatrix(Parser& parser) {
    auto options = std::make_shared<evaluate::ImatrixOptions>();
    options->model.n_context = 512;
    Subcommand& sub = parser.add(
        "imatrix", "gather the importance matrix of a text for quantize; goes on where it was "
                   "stopped");
    add_model_file(sub, options->model.model);
    add_text(sub, options->text);
    add_window(sub, options->model);
    add_chunks(sub, options->n_chunks);
    sub.add(Ranks::may_differ, "--chunk,--from-chunk", "N", "windows to skip at the beginning")
        .whole(options->first_chunk, 0, INT32_MAX)
        .with_default();
    sub.add(Ranks::may_differ, "-o,--output", "FILE.gguf",
            "the importance matrix; what is there already, of the same text, is gone on with")
        .name(options->output)
        .with_default();
    sub.add(Ranks::same, "--output-frequency", "N", "write it after every N windows")
        .whole(options->save_every, 1, INT32_MAX)
        .with_default();
    sub.add_switch(Ranks::same, "--process-output", options->process_output,
                   "gather for the output matrix too");
    sub.add_switch(Ranks::may_differ, "--parse-special", options->parse_special,
                   "control tokens that are written in the text are ones");
    sub.add_switch(Ranks::may_differ, "--ppl,!--no-ppl", options->computes_perplexity,
                   "print the text's perplexity meanwhile (default: yes)");
    sub.add_switch(Ranks::may_differ, "--force", options->force, "replace the file that is there");
    add_batch_size(sub, options->model);
    add_threads(sub, options->model);
    add_compute_options(sub, options->model);
    sub.when_called([options](Command& command) {
        command.timeout_s = options->model.timeout_s;
        command.run_with_ranks = [options](comm::Environment& environment) {
            return evaluate::gather_importance(*options, environment);
        };
    });
}

} // namespace pillar::cli
