// ChatML of models that think: thoughts of earlier answers are left out, and an empty thought tells
// the model not to think.

#include "families.hpp"
#include "turns.hpp"
#include "written.hpp"

namespace pillar::chat {

namespace {

constexpr Frame frame = {"<|im_start|>", "\n", "<|im_end|>\n"};
constexpr std::string_view thought = "<think>", end_of_thought = "</think>";

bool is_question(const Message& message) {
    const std::string_view content = message.content;
    return message.role == Role::user &&
           !(content.starts_with("<tool_response>") && content.ends_with("</tool_response>"));
}

/// Thoughts of answers behind it are kept.
std::size_t last_question(const Conversation& messages) {
    for (std::size_t i = messages.size(); i-- > 0;)
        if (is_question(messages[i])) return i;
    return messages.size() - 1;
}

struct Answer {
    std::string_view thoughts, content;
};

Answer split_answer(std::string_view content) {
    if (content.find(end_of_thought) == std::string_view::npos) return {{}, content};
    const auto before = without_trailing_lines(before_first(content, end_of_thought));
    return {without_leading_lines(after_last(before, thought)),
            without_leading_lines(after_last(content, end_of_thought))};
}

void write_messages(PromptWriter& out, const Conversation& messages) {
    const std::size_t question = last_question(messages);
    for (std::size_t i = 0; i < messages.size(); ++i) {
        if (messages[i].role != Role::assistant) {
            write_turn(out, frame, messages[i].role, messages[i].content);
            continue;
        }
        const Answer answer = split_answer(messages[i].content);
        write_header(out, frame, Role::assistant);
        if (i > question && (i + 1 == messages.size() || !answer.thoughts.empty())) {
            out.marker("<think>\n");
            out.content(without_outer_lines(answer.thoughts));
            out.marker("\n</think>\n\n");
            out.content(without_leading_lines(answer.content));
        } else {
            out.content(answer.content);
        }
        out.marker(frame.after);
    }
}

/// Its predecessor keeps the last answer as it is.
void write_qwq(PromptWriter& out, const Conversation& messages, const Settings& settings) {
    for (const Message& message : messages) {
        const bool drops = message.role == Role::assistant && &message != &messages.back();
        write_turn(out, frame, message.role,
                   drops ? without_leading_lines(after_last(message.content, end_of_thought))
                         : message.content);
    }
    if (!settings.add_generation_prompt) return;
    write_header(out, frame, Role::assistant);
    out.marker("<think>\n");
}

} // namespace

std::vector<Template> qwen3_templates() {
    const auto write = [](PromptWriter& out, const Conversation& messages,
                          const Settings& settings) {
        write_messages(out, messages);
        if (!settings.add_generation_prompt) return;
        write_header(out, frame, Role::assistant);
        if (settings.thinking == false) out.marker("<think>\n\n</think>\n\n");
    };
    const auto write_always_thinking = [](PromptWriter& out, const Conversation& messages,
                                          const Settings& settings) {
        write_messages(out, messages);
        if (!settings.add_generation_prompt) return;
        write_header(out, frame, Role::assistant);
        out.marker("<think>\n");
    };
    const std::string_view keeps_last = "loop.index0 > ns.last_query_index %}\n            {%- if "
                                        "loop.last or (not loop.last and reasoning_content)";
    return {
        {"qwq",
         {"'<|im_start|>assistant\n<think>\n'",
          "{%- if not loop.last %}\n            {%- set content = "
          "message.content.split('</think>')[-1].lstrip('\n')"},
         {"You are Qwen", "You are a helpful", "last_query_index"},
         write_qwq},
        {"qwen3",
         {"<|im_start|>", keeps_last, "enable_thinking is false", "'<think>\n\n</think>\n\n'"},
         {},
         write,
         true},
        {"qwen3-thinking",
         {"<|im_start|>", keeps_last, "'<|im_start|>assistant\n<think>\n'"},
         {"enable_thinking"},
         write_always_thinking},
    };
}

} // namespace pillar::chat
