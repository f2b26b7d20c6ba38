// Phi 3 and 4: <|role|> … <|end|>, and ChatML with <|im_sep|>.

#include "families.hpp"
#include "turns.hpp"

namespace pillar::chat {

namespace {

constexpr Frame phi3_frame = {"<|", "|>\n", "<|end|>\n"};
constexpr Frame phi4_mini_frame = {"<|", "|>", "<|end|>"};
constexpr Frame phi4_frame = {"<|im_start|>", "<|im_sep|>", "<|im_end|>"};

/// Without an answer to come the text ends with EOS.
Template phi(std::string_view name, std::vector<std::string_view> markers,
             std::vector<std::string_view> absent, const Frame& frame, bool skips_empty_system) {
    const auto write = [=](PromptWriter& out, const Conversation& messages,
                           const Settings& settings) {
        for (const Message& message : messages)
            if (!skips_empty_system || message.role != Role::system || !message.content.empty())
                write_turn(out, frame, message.role, message.content);
        if (settings.add_generation_prompt)
            write_header(out, frame, Role::assistant);
        else
            out.marker(settings.eos);
    };
    return {name, std::move(markers), std::move(absent), write};
}

/// The answer's header belongs to the question, whether an answer is to come or not.
Template question_and_header(std::string_view name, std::vector<std::string_view> markers,
                             std::vector<std::string_view> absent, const Frame& frame,
                             bool has_system, bool writes_bos) {
    const auto write = [=](PromptWriter& out, const Conversation& messages,
                           const Settings& settings) {
        if (!has_system) expect_no_system(messages, true);
        if (writes_bos) out.marker(settings.bos);
        for (const Message& message : messages) {
            if (message.role == Role::system && !has_system) continue; // an empty one
            if (message.role == Role::assistant) {
                out.content(message.content);
                out.marker(frame.after);
                continue;
            }
            write_turn(out, frame, message.role, message.content);
            if (message.role == Role::user) write_header(out, frame, Role::assistant);
        }
    };
    return {name, std::move(markers), std::move(absent), write};
}

void write_phi4(PromptWriter& out, const Conversation& messages, const Settings& settings) {
    write_turns(out, phi4_frame, messages);
    if (settings.add_generation_prompt) write_header(out, phi4_frame, Role::assistant);
}

} // namespace

std::vector<Template> phi_templates() {
    const std::string_view end_or_eos = "{% else %}{{ eos_token }}";
    const std::string_view answer_follows =
        "'<|user|>' + '\n' + message['content'] + '<|end|>' + '\n' + '<|assistant|>' + '\n'";
    const std::string_view optional_system = "message['role'] == 'system' and message['content']";
    return {
        phi("phi3", {"'<|user|>\n' + message['content'] + '<|end|>\n'", "<|system|>", end_or_eos},
            {optional_system, "bos_token"}, phi3_frame, false),
        phi("phi3.5",
            {"'<|user|>\n' + message['content'] + '<|end|>\n'", optional_system, end_or_eos},
            {"bos_token"}, phi3_frame, true),
        question_and_header("phi3-mini", {answer_follows, "bos_token"}, {"system"}, phi3_frame,
                            false, true),
        question_and_header("phi3-medium", {answer_follows}, {"bos_token", "system"}, phi3_frame,
                            false, false),
        phi("phi4-mini",
            {"'<|' + message['role'] + '|>' + message['content'] + '<|end|>'", "<|tool|>",
             end_or_eos},
            {"system_message", "Your name is Phi"}, phi4_mini_frame, false),
        {"phi4",
         {"'<|im_start|>assistant<|im_sep|>' + message['content'] + '<|im_end|>'"},
         {"You are Phi"},
         write_phi4},
        question_and_header("phi4-first",
                            {"message['content'] + '<|im_end|><|im_start|>assistant<|im_sep|>'",
                             "'<|im_start|>system<|im_sep|>' + message['content'] + '<|im_end|>'"},
                            {"add_generation_prompt"}, phi4_frame, true, false),
    };
}

} // namespace pillar::chat
