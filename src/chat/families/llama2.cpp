// Llama 2: every question and its answer between BOS and EOS, the system prompt inside the first.

#include "families.hpp"
#include "turns.hpp"
#include "written.hpp"

#include <string>

namespace pillar::chat {

namespace {

void write(PromptWriter& out, const Conversation& messages, const Settings& settings) {
    const WithSystem parts(messages);
    expect_turns(parts.rest);
    expect_no_system(parts.rest);
    if (parts.system && parts.rest.empty()) expect_no_system(messages);
    for (const Message& message : parts.rest) {
        if (message.role == Role::assistant) {
            out.marker(" ");
            out.content(stripped(message.content));
            out.marker(" " + settings.eos);
            continue;
        }
        out.marker(settings.bos + "[INST] ");
        if (parts.system && &message == parts.rest.data()) {
            out.marker("<<SYS>>\n");
            out.content(*parts.system);
            // What is stripped is the whole, whose front is the marker.
            const std::string_view content = without_trailing_space(message.content);
            out.marker(content.empty() ? "\n<</SYS>>" : "\n<</SYS>>\n\n");
            out.content(content);
        } else {
            out.content(stripped(message.content));
        }
        out.marker(" [/INST]");
    }
}

} // namespace

std::vector<Template> llama2_templates() {
    return {{"llama2",
             {"'<<SYS>>\n' + system_message + '\n<</SYS>>\n\n'",
              "bos_token + '[INST] ' + content.strip() + ' [/INST]'",
              "' '  + content.strip() + ' ' + eos_token"},
             {"true == true"},
             write}};
}

} // namespace pillar::chat
