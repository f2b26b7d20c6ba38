// <|im_start|>role … <|im_end|>; some models put a system prompt of their own in front where the
// conversation has none.

#include "families.hpp"
#include "turns.hpp"

namespace pillar::chat {

namespace {

constexpr Frame frame = {"<|im_start|>", "\n", "<|im_end|>\n"};

Template chatml(std::string_view name, std::vector<std::string_view> markers,
                std::vector<std::string_view> absent, std::string_view default_system,
                bool writes_bos = false) {
    const auto write = [=](PromptWriter& out, const Conversation& messages,
                           const Settings& settings) {
        if (writes_bos) out.marker(settings.bos);
        if (!default_system.empty() && messages.front().role != Role::system) {
            write_header(out, frame, Role::system);
            out.marker(default_system);
            out.marker(frame.after);
        }
        write_turns(out, frame, messages);
        if (settings.add_generation_prompt) write_header(out, frame, Role::assistant);
    };
    return {name, std::move(markers), std::move(absent), write};
}

} // namespace

std::vector<Template> chatml_templates() {
    const std::string_view plain = "{{'<|im_start|>' + message['role'] + '\n' + message['content'] "
                                   "+ '<|im_end|>' + '\n'}}{% endfor %}";
    const std::string_view own_prompt = "messages[0]['role'] != 'system'";
    return {
        chatml("smollm", {plain, "You are a helpful AI assistant named SmolLM"}, {"bos_token"},
               "You are a helpful AI assistant named SmolLM, trained by Hugging Face"),
        chatml("qwen2", {plain, own_prompt, "system\nYou are a helpful assistant.<|im_end|>"},
               {"bos_token"}, "You are a helpful assistant."),
        chatml(
            "hermes3",
            {plain, own_prompt, "system\nYou are a helpful assistant.<|im_end|>", "{{bos_token}}"},
            {}, "You are a helpful assistant.", true),
        chatml("qwen2.5",
               {"<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful "
                "assistant.<|im_end|>"},
               {"<think>", "image"},
               "You are Qwen, created by Alibaba Cloud. You are a helpful assistant."),
        chatml("chatml", {plain}, {own_prompt, "bos_token", "eos_token", "system\n"}, ""),
        chatml("chatml-bos", {plain, "bos_token"}, {own_prompt, "eos_token", "system\n"}, "", true),
    };
}

} // namespace pillar::chat
