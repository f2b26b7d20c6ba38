// chat: turns from standard input, answers to standard output.

#include "options.hpp"
#include "pillar/arguments/parser.hpp"
#include "subcommands.hpp"

#include "pillar/chat/template.hpp"
#include "pillar/dialogue/dialogue.hpp"

#include <memory>

namespace pillar::cli {

void add_chat(Parser& parser) {
    auto options = std::make_shared<dialogue::ChatOptions>();
    Subcommand& sub = parser.add("chat", "talk with a model: a turn a line on standard input");
    add_model_options(sub, options->model);
    sub.add(Ranks::may_differ, "-n,--predict,--n-predict", "N",
            "tokens of an answer; -1 = until the model ends or the context is full")
        .whole(options->n_predict, -1, INT32_MAX)
        .with_default();
    sub.add(Ranks::may_differ, "--system", "TEXT", "what the model is told first")
        .looks(Flag::Looks::like_anything)
        .read([options](const std::string& text) { options->system = text; },
              [options] { return options->system.value_or(""); });
    sub.add(Ranks::same, "--chat-template", "NAME",
            "the template instead of the model's own: " + chat::template_names())
        .read_name([options](const std::string& text) { options->chat_template = text; },
                   [options] { return options->chat_template.value_or(""); });
    sub.add_list(Ranks::may_differ, "--stop", "TEXT",
                 "end an answer before this text, \\n and the like as in run; may be given again")
        .looks(Flag::Looks::like_anything)
        .pieces(options->stops);
    add_prompt_cache(sub, options->prompt_cache);
    sub.add_switch(Ranks::may_differ, "--context-shift", options->shifts_context,
                   "drop the oldest turns where the context is full");
    add_draft(sub, options->model.draft);
    add_sampling_options(sub, options->sampling, options->seed);
    add_trace_options(sub, options->trace);
    sub.expect([options] { sampling::validate(options->sampling); });
    sub.when_called([options](Command& command) {
        command.timeout_s = options->model.timeout_s;
        command.run_with_ranks = [options](comm::Environment& environment) {
            return dialogue::run_chat(*options, environment);
        };
    });
}

} // namespace pillar::cli
