// inspect: what a GGUF file says about itself: metadata, tensors, tokenizer.

#include "options.hpp"
#include "pillar/arguments/parser.hpp"
#include "subcommands.hpp"

#include "pillar/core/log.hpp"
#include "pillar/inspect/file_text.hpp"

#include <cstdint>
#include <memory>

namespace pillar::cli {

namespace {

struct InspectOptions {
    std::string model;
    bool tensors = true;
    std::size_t max_items = 6;
};

int print_file(const InspectOptions& options) {
    const gguf::File file(options.model);
    if (!prints()) return 0;
    for (const std::string& warning : file.warnings()) log::warning("{}", warning);
    print_text(inspect::file_text(file, options.tensors, options.max_items));
    return 0;
}

} // namespace

void add_inspect(Parser& parser) {
    auto options = std::make_shared<InspectOptions>();
    Subcommand& sub = parser.add("inspect", "print a model's metadata and tensors");
    add_model_file(sub, options->model);
    sub.add_switch(Ranks::may_differ, "--tensors,!--no-tensors", options->tensors,
                   "list the tensors (default: yes)");
    sub.add(Ranks::may_differ, "--items", "N", "items of an array to print")
        .whole(options->max_items, 0, INT32_MAX)
        .with_default();
    sub.when_called([options](Command& command) {
        command.run_alone = [options] { return print_file(*options); };
    });
}

} // namespace pillar::cli
