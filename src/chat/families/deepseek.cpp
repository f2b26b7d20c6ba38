// DeepSeek: system prompts stand in front without a marker. Those that think drop the thoughts of
// earlier answers.

#include "families.hpp"
#include "turns.hpp"
#include "written.hpp"

#include <algorithm>

namespace pillar::chat {

namespace {

constexpr std::string_view user = "<｜User｜>", assistant = "<｜Assistant｜>";
constexpr std::string_view end = "<｜end▁of▁sentence｜>";
constexpr std::string_view end_of_thought = "</think>";

void write_deepseek2(PromptWriter& out, const Conversation& messages, const Settings& settings) {
    out.marker(settings.bos);
    for (const Message& message : messages) {
        if (message.role == Role::user) out.marker("User: ");
        if (message.role == Role::assistant) out.marker("Assistant: ");
        out.content(message.content);
        out.marker(message.role == Role::assistant ? std::string_view(settings.eos) : "\n\n");
    }
    if (settings.add_generation_prompt) out.marker("Assistant:");
}

void write_systems(PromptWriter& out, const Conversation& messages, bool joins) {
    bool is_first = true;
    for (const Message& message : messages) {
        if (message.role != Role::system) continue;
        if (!is_first && !joins) throw Refusal("keeps one system message: put them into one");
        if (!is_first) out.marker("\n\n");
        is_first = false;
        out.content(message.content);
    }
}

bool has_system(const Conversation& messages) {
    return std::ranges::any_of(messages, [](const Message& m) { return m.role == Role::system; });
}

struct Style {
    bool joins_systems = false, drops_thoughts = false;
    std::string_view before_bos = {}; ///< where there is a system message
    std::string_view generation = assistant;
};

Template deepseek(std::string_view name, std::vector<std::string_view> markers,
                  std::vector<std::string_view> absent, const Style& style) {
    const auto write = [style](PromptWriter& out, const Conversation& messages,
                               const Settings& settings) {
        if (has_system(messages)) out.marker(style.before_bos);
        out.marker(settings.bos);
        write_systems(out, messages, style.joins_systems);
        for (const Message& message : messages) {
            if (message.role == Role::user) {
                out.marker(user);
                out.content(message.content);
            } else if (message.role == Role::assistant) {
                out.marker(assistant);
                out.content(style.drops_thoughts ? after_last(message.content, end_of_thought)
                                                 : message.content);
                out.marker(end);
            }
        }
        if (settings.add_generation_prompt) out.marker(style.generation);
    };
    return {name, std::move(markers), std::move(absent), write};
}

/// Every question is followed by the answer's header.
void write_r1_0528(PromptWriter& out, const Conversation& messages, const Settings& settings) {
    out.marker(settings.bos);
    write_systems(out, messages, true);
    bool is_open = false; // a question without its answer
    for (const Message& message : messages) {
        if (message.role == Role::system) continue;
        is_open = message.role == Role::user;
        if (is_open) out.marker(user);
        out.content(is_open ? message.content : after_last(message.content, end_of_thought));
        out.marker(is_open ? assistant : end);
    }
    if (settings.add_generation_prompt && !is_open) out.marker(assistant);
}

/// An empty thought's end tells the model not to think.
void write_v31(PromptWriter& out, const Conversation& messages, const Settings& settings) {
    out.marker(settings.bos);
    write_systems(out, messages, true);
    bool is_open = false;
    for (const Message& message : messages) {
        if (message.role == Role::user) {
            out.marker(user);
            out.content(message.content);
            is_open = true;
        } else if (message.role == Role::assistant) {
            if (is_open) out.marker("<｜Assistant｜></think>");
            is_open = false;
            out.content(after_first(message.content, end_of_thought));
            out.marker(end);
        }
    }
    if (!settings.add_generation_prompt || !is_open) return;
    out.marker(assistant);
    out.marker(settings.thinking.value_or(false) ? "<think>" : end_of_thought);
}

} // namespace

std::vector<Template> deepseek_templates() {
    const std::string_view question = "'<｜User｜>' + message['content']}}";
    const std::string_view joins = "ns.system_prompt + '\n\n' + message['content']";
    const std::string_view drops = "content.split('</think>')[-1]";
    const std::string_view opens_thought = "'<｜Assistant｜><think>\n'";
    return {
        {"deepseek2",
         {"'User: ' + message['content'] + '\n\n'",
          "'Assistant: ' + message['content'] + eos_token"},
         {},
         write_deepseek2},
        // Its Jinja text indents the line that finds the system message.
        deepseek("deepseek2.5", {question}, {joins, drops}, {.before_bos = "        "}),
        deepseek("deepseek3", {question, joins}, {drops, "</think>", "<think>"},
                 {.joins_systems = true}),
        deepseek("deepseek-r1", {question, drops, opens_thought}, {joins},
                 {.drops_thoughts = true, .generation = "<｜Assistant｜><think>\n"}),
        deepseek("deepseek-r1-first", {question, drops}, {joins, opens_thought},
                 {.drops_thoughts = true}),
        deepseek("deepseek-r1-671b", {question, joins, drops},
                 {opens_thought, "'<｜Assistant｜></think>'"},
                 {.joins_systems = true, .drops_thoughts = true}),
        {"deepseek-r1-0528",
         {"'<｜User｜>' + content + '<｜Assistant｜>'", joins, drops},
         {},
         write_r1_0528},
        {"deepseek-v3.1",
         {question, joins, "'<｜Assistant｜></think>'", "content.split('</think>', 1)[1]",
          "if not thinking"},
         {},
         write_v31,
         true},
    };
}

} // namespace pillar::chat
