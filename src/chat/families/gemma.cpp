// Gemma: <start_of_turn>user … <end_of_turn>, the assistant is called model. Gemma 3 puts a system
// prompt in front of the first question; those before it refuse one.

#include "families.hpp"
#include "turns.hpp"
#include "written.hpp"

namespace pillar::chat {

namespace {

constexpr Frame frame = {"<start_of_turn>", "\n", "<end_of_turn>\n", "model", true};

void write_gemma(PromptWriter& out, const Conversation& messages, const Settings& settings) {
    expect_no_system(std::span(messages).first(1));
    expect_turns(messages);
    out.marker(settings.bos);
    write_turns(out, frame, messages);
    if (settings.add_generation_prompt) write_header(out, frame, Role::assistant);
}

void write_gemma3(PromptWriter& out, const Conversation& messages, const Settings& settings) {
    const WithSystem parts(messages);
    expect_turns(parts.rest);
    if (parts.rest.empty()) expect_no_system(messages);
    out.marker(settings.bos);
    for (const Message& message : parts.rest) {
        write_header(out, frame, message.role);
        if (parts.system && &message == parts.rest.data()) {
            out.content(*parts.system);
            out.marker("\n\n");
        }
        out.content(stripped(message.content));
        out.marker(frame.after);
    }
    if (settings.add_generation_prompt) write_header(out, frame, Role::assistant);
}

} // namespace

std::vector<Template> gemma_templates() {
    return {
        {"gemma",
         {"'<start_of_turn>' + role + '\n' + message['content'] | trim + '<end_of_turn>\n'",
          "'System role not supported'"},
         {},
         write_gemma},
        {"gemma3", {"'<start_of_turn>' + role + '\n'", "first_user_prefix"}, {}, write_gemma3},
    };
}

} // namespace pillar::chat
