// Mistral: [INST] question [/INST] answer </s>. The versions differ in white space and in where the
// system prompt goes.

#include "families.hpp"
#include "turns.hpp"
#include "written.hpp"

namespace pillar::chat {

namespace {

enum class SystemPlace : std::uint8_t { none, first_question, last_question };

struct Style {
    std::string_view before_question, after_question, before_answer, after_eos;
    SystemPlace system = SystemPlace::none;
    bool strips_answer = false;
};

Template mistral(std::string_view name, std::vector<std::string_view> markers,
                 std::vector<std::string_view> absent, const Style& style) {
    const auto write = [style](PromptWriter& out, const Conversation& messages,
                               const Settings& settings) {
        const WithSystem parts(messages);
        expect_turns(parts.rest);
        expect_no_system(parts.rest);
        const bool at_end = style.system == SystemPlace::last_question;
        if (parts.system && (style.system == SystemPlace::none || parts.rest.empty() ||
                             (at_end && parts.rest.back().role != Role::user)))
            expect_no_system(messages);
        out.marker(settings.bos);
        for (const Message& message : parts.rest) {
            if (message.role == Role::assistant) {
                out.marker(style.before_answer);
                out.content(style.strips_answer ? stripped(message.content) : message.content);
                out.marker(settings.eos);
                out.marker(style.after_eos);
                continue;
            }
            out.marker(style.before_question);
            if (parts.system && &message == (at_end ? &parts.rest.back() : &parts.rest.front())) {
                out.content(*parts.system);
                out.marker("\n\n");
            }
            out.content(message.content);
            out.marker(style.after_question);
        }
    };
    return {name, std::move(markers), std::move(absent), write};
}

/// From version 7 on a system prompt has markers of its own, wherever it stands.
Template mistral_v7(std::string_view name, std::string_view marker, std::string_view space) {
    const auto write = [space](PromptWriter& out, const Conversation& messages,
                               const Settings& settings) {
        out.marker(settings.bos);
        for (const Message& message : messages) {
            if (message.role != Role::assistant)
                out.marker(message.role == Role::system ? "[SYSTEM_PROMPT]" : "[INST]");
            out.marker(space);
            out.content(message.content);
            out.marker(message.role == Role::system ? "[/SYSTEM_PROMPT]"
                       : message.role == Role::user ? "[/INST]"
                                                    : std::string_view(settings.eos));
        }
    };
    // Some put long system prompts of their own in front, which are not known here.
    return {name, {marker}, {"default_system_message", "tool", "image"}, write};
}

} // namespace

std::vector<Template> mistral_templates() {
    using enum SystemPlace;
    const std::string_view rest_alternates = "must alternate user/assistant/user/assistant";
    return {
        mistral("mistral-v0.1",
                {"'[INST] ' + message['content'] + ' [/INST]'",
                 "message['content'] + eos_token + ' '", rest_alternates},
                {"system_message"}, {"[INST] ", " [/INST]", "", " "}),
        mistral("mistral-v0.2",
                {"'[INST] ' + message['content'] + ' [/INST]'", "message['content'] + eos_token}}",
                 rest_alternates},
                {"system_message"}, {"[INST] ", " [/INST]", "", ""}),
        mistral("mistral-v1",
                {"' [INST] ' + system_message + '\n\n' + message['content'] + ' [/INST]'",
                 "loop.first and system_message", "' ' + message['content'] + eos_token"},
                {}, {" [INST] ", " [/INST]", " ", "", first_question}),
        mistral("mistral-v3",
                {"'[INST] ' + system_message + '\n\n' + message['content'] + '[/INST]'",
                 "loop.last and system_message", "' ' + message['content']|trim + eos_token"},
                {}, {"[INST] ", "[/INST]", " ", "", last_question, true}),
        mistral("mixtral-8x22b",
                {"'[INST] ' + system_message + '\n\n' + message['content'] + '[/INST]'",
                 "loop.last and system_message", "' ' + message['content'] + eos_token"},
                {}, {"[INST] ", "[/INST]", " ", "", last_question}),
        mistral("mistral-v3-tekken",
                {"'[INST]' + system_message + '\n\n' + message['content'] + '[/INST]'",
                 "loop.last and system_message", "{{- message['content'] + eos_token}}"},
                {}, {"[INST]", "[/INST]", "", "", last_question}),
        mistral_v7("mistral-v7", "'[SYSTEM_PROMPT] ' + message['content'] + '[/SYSTEM_PROMPT]'",
                   " "),
        mistral_v7("mistral-v7-tekken",
                   "'[SYSTEM_PROMPT]' + message['content'] + '[/SYSTEM_PROMPT]'", ""),
    };
}

} // namespace pillar::chat
