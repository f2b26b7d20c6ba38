// Texts in the metadata: chat templates, which are programs from a stranger, and names that would
// write to a terminal.

#include "support/malformed/lists.hpp"
#include "support/models/tiny_model.hpp"

namespace pillar::support {

namespace {

constexpr const char* template_key = "tokenizer.chat_template";

std::function<std::string()> with(const char* key, const std::string& text) {
    return [=] {
        GgufBuilder builder = build_tiny_model({.n_layers = 1, .dim = 32, .ffn = 32});
        builder.set(key, text);
        return builder.bytes();
    };
}

} // namespace

void add_template_cases(Cases& cases) {
    CaseList(cases, "template", Owner::gguf)
        .add(Verdict::refuse, "template-of-64-MiB", template_key, "a chat template of 64 MiB",
             [] { return with(template_key, std::string(64u << 20, '{'))(); })
        .is_large = true;

    // Known templates are recognised, none is executed: `run` must not care, `chat` says that it
    // knows none.
    CaseList chat(cases, "template", Owner::cli);
    chat.add(Verdict::accept, "unterminated-tag", "", "a template with a tag that does not end",
             with(template_key, "{% for message in messages %}{{ message['content']"));
    chat.add(Verdict::accept, "infinite-loop", "", "a template that loops for ever",
             with(template_key, "{% for i in range(1000000000) %}{% for j in range(1000000000) %}x"
                                "{% endfor %}{% endfor %}"));
    chat.add(Verdict::accept, "endless-recursion", "", "a template whose macro calls itself",
             with(template_key, "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}"));
    chat.add(Verdict::accept, "control-characters-in-name", "",
             "a model name that would clear the screen: shown as \\xNN",
             with("general.name", "\x1B[2J\x1B]0;owned\x07\r\ntiny"));
    CaseList(cases, "template", Owner::model)
        .add(Verdict::refuse, "escapes-in-architecture", "general.architecture",
             "an unknown architecture with escape sequences in its name",
             with("general.architecture", "\x1B[31mllama\x1B[0m"));
}

} // namespace pillar::support
