// logits: the model's logits after every given token, as an HDF5 file.

#include "options.hpp"
#include "pillar/arguments/parser.hpp"
#include "subcommands.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/generate/logits.hpp"

#include <cstdint>
#include <memory>

namespace pillar::cli {

void add_logits(Parser& parser) {
    auto options = std::make_shared<generate::LogitsOptions>();
    Subcommand& sub =
        parser.add("logits", "write the logits after every token of a text to an HDF5 file");
    add_model_options(sub, options->model);
    add_prompt_options(sub, options->prompt);
    sub.add_list(Ranks::may_differ, "--ids", "LIST",
                 "token ids, taken as they are: 1,2,3; may be given again")
        .numbers(options->ids, 0, INT32_MAX);
    sub.add(Ranks::may_differ, "-o,--output", "FILE.h5", "file to write")
        .name(options->output)
        .with_default();
    sub.add_switch(Ranks::may_differ, "--force", options->force, "overwrite an existing file");
    sub.expect([options] {
        if (!options->ids.empty() && (options->prompt.prompt || !options->prompt.file.empty()))
            throw UsageError("--ids and a prompt are given: leave one out");
    });
    sub.when_called([options](Command& command) {
        command.timeout_s = options->model.timeout_s;
        command.run_with_ranks = [options](comm::Environment& environment) {
            return generate::write_logits(*options, environment);
        };
    });
}

} // namespace pillar::cli
