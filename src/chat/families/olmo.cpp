// OLMo 2 and Tülu 3: <|role|> and a line end; an answer ends with EOS.

#include "families.hpp"
#include "turns.hpp"

namespace pillar::chat {

namespace {

constexpr Frame frame = {"<|", "|>\n", "\n"};

Template olmo(std::string_view name, std::vector<std::string_view> markers,
              std::vector<std::string_view> absent, bool writes_bos) {
    const auto write = [=](PromptWriter& out, const Conversation& messages,
                           const Settings& settings) {
        if (writes_bos) out.marker(settings.bos);
        for (const Message& message : messages) {
            write_header(out, frame, message.role);
            out.content(message.content);
            if (message.role == Role::assistant) out.marker(settings.eos);
            if (message.role != Role::assistant || &message != &messages.back())
                out.marker(frame.after);
        }
        if (settings.add_generation_prompt) write_header(out, frame, Role::assistant);
    };
    return {name, std::move(markers), std::move(absent), write};
}

} // namespace

std::vector<Template> olmo_templates() {
    const std::string_view question = "'<|user|>\n' + message['content'] + '\n'";
    const std::string_view answer = "'<|assistant|>\n'  + message['content'] + eos_token + '\n'";
    return {
        olmo("olmo2", {question, answer, "bos_token"}, {}, true),
        olmo("tulu3", {question, answer}, {"bos_token"}, false),
    };
}

} // namespace pillar::chat
