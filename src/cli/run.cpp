// run: complete a prompt, streaming the text to stdout.

#include "options.hpp"
#include "pillar/arguments/parser.hpp"
#include "subcommands.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/engine/ngram_draft.hpp"
#include "pillar/generate/run.hpp"

#include <fmt/core.h>
#include <memory>

namespace pillar::cli {

namespace {

constexpr std::size_t usual_draft = 7;

/// "ngram", "ngram:N" or "none".
std::size_t parse_draft(const std::string& text, std::string_view typed) {
    constexpr std::string_view prefix = "ngram:";
    if (text == "none") return 0;
    if (text == "ngram") return usual_draft;
    if (!text.starts_with(prefix))
        throw UsageError(fmt::format("{} {}: give ngram, ngram:N or none", typed, printable(text)));
    return static_cast<std::size_t>(arguments::whole_number(
        text.substr(prefix.size()), typed, 1, static_cast<std::int64_t>(engine::max_draft)));
}

} // namespace

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
    Flag& draft =
        sub.add(Ranks::same, "--draft", "HOW",
                "propose tokens that followed the text's end where it stood before, and "
                "check them in one step; the text stays the same: ngram, ngram:N (at most "
                "N) or none");
    draft
        .read_name(
            [options, &draft](const std::string& text) {
                options->n_draft = parse_draft(text, draft.typed());
            },
            [options] {
                return options->n_draft == 0 ? "none" : fmt::format("ngram:{}", options->n_draft);
            })
        .with_default();
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
