// gpt-oss: messages in channels. The system message is the template's own; a conversation's becomes
// the developer's.

#include "families.hpp"
#include "turns.hpp"
#include "written.hpp"

#include <string>

namespace pillar::chat {

namespace {

void write(PromptWriter& out, const Conversation& messages, const Settings& settings) {
    out.marker("<|start|>system<|message|>You are ChatGPT, a large language model trained by "
               "OpenAI.\nKnowledge cutoff: 2024-06\nCurrent date: " +
               year_month_day_text(settings.today) +
               "\n\nReasoning: medium\n\n# Valid channels: analysis, commentary, final. Channel "
               "must be included for every message.<|end|>");
    const WithSystem parts(messages);
    expect_no_system(parts.rest);
    if (parts.system && !parts.system->empty()) {
        out.marker("<|start|>developer<|message|># Instructions\n\n");
        out.content(*parts.system);
        out.marker("<|end|>");
    }
    for (const Message& message : parts.rest) {
        if (message.role == Role::user) {
            out.marker("<|start|>user<|message|>");
            out.content(message.content);
            out.marker("<|end|>");
            continue;
        }
        for (const char* channel :
             {"<|channel|>analysis<|message|>", "<|channel|>final<|message|>"})
            if (message.content.find(channel) != std::string::npos)
                throw Refusal("takes an assistant's final text without <|channel|> in it: leave "
                              "out the thoughts and the markers around");
        out.marker("<|start|>assistant<|channel|>final<|message|>");
        out.content(message.content);
        const bool is_last = &message == &parts.rest.back();
        out.marker(is_last && !settings.add_generation_prompt ? "<|return|>" : "<|end|>");
    }
    if (settings.add_generation_prompt) out.marker("<|start|>assistant");
}

} // namespace

std::vector<Template> harmony_templates() {
    return {{"gpt-oss",
             {"<|start|>assistant<|channel|>final<|message|>' + message.content + '<|return|>'",
              "You are ChatGPT, a large language model trained by OpenAI.",
              "Valid channels: analysis, commentary, final."},
             {},
             write}};
}

} // namespace pillar::chat
