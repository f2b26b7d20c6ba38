// Zephyr and TinyLlama: <|role|> … EOS.

#include "families.hpp"
#include "turns.hpp"

#include <string>

namespace pillar::chat {

namespace {

void write(PromptWriter& out, const Conversation& messages, const Settings& settings) {
    const std::string after = settings.eos + "\n";
    const Frame frame = {"<|", "|>\n", after};
    write_turns(out, frame, messages);
    if (settings.add_generation_prompt) write_header(out, frame, Role::assistant);
}

} // namespace

std::vector<Template> zephyr_templates() {
    return {{"zephyr",
             {"'<|user|>\n' + message['content'] + eos_token",
              "'<|system|>\n' + message['content'] + eos_token",
              "'<|assistant|>\n'  + message['content'] + eos_token"},
             {"bos_token", "<|end|>"},
             write}};
}

} // namespace pillar::chat
