// Granite: <|start_of_role|>role<|end_of_role|>. From 3.1 on with a system prompt of its own where
// the conversation has none.

#include "families.hpp"
#include "turns.hpp"
#include "written.hpp"

#include <string>

namespace pillar::chat {

namespace {

constexpr Frame frame = {"<|start_of_role|>", "<|end_of_role|>", "<|end_of_text|>\n"};

using DefaultSystem = std::string (*)(const Settings&);

std::string granite31_system(const Settings& settings) {
    return "Knowledge Cutoff Date: April 2024.\nToday's Date: " + month_day_year(settings.today) +
           ".\nYou are Granite, developed by IBM. You are a helpful AI assistant.";
}

std::string granite33_system(const Settings& settings) {
    return " Knowledge Cutoff Date: April 2024.\n Today's Date: " + month_day_year(settings.today) +
           ". You are Granite, developed by IBM. You are a helpful AI assistant.";
}

std::string granite4_system(const Settings&) {
    return "You are a helpful assistant. Please ensure responses are professional, accurate, and "
           "safe.";
}

std::string no_system(const Settings&) {
    return {};
}

Template granite(std::string_view name, std::vector<std::string_view> markers,
                 std::vector<std::string_view> absent, DefaultSystem default_system,
                 bool is_version_4 = false) {
    const auto write = [=](PromptWriter& out, const Conversation& messages,
                           const Settings& settings) {
        const WithSystem parts(messages);
        const bool is_empty = parts.system && parts.system->empty();
        const bool takes_default =
            default_system != nullptr && (!parts.system || (is_empty && is_version_4));
        const std::string system = takes_default ? default_system(settings) : std::string();
        if (!system.empty()) {
            write_header(out, frame, Role::system);
            out.marker(system);
            out.marker(frame.after);
        }
        write_turns(out, frame, takes_default ? parts.rest : messages);
        // Versions 3.1 to 3.3 write the header behind the last message that is not the system's.
        const bool has_header = default_system == nullptr || is_version_4 || !parts.rest.empty();
        if (settings.add_generation_prompt && has_header) write_header(out, frame, Role::assistant);
    };
    return {name, std::move(markers), std::move(absent), write};
}

} // namespace

std::vector<Template> granite_templates() {
    const std::string_view turn =
        "'<|start_of_role|>' + message['role'] + '<|end_of_role|>' + message['content'] + "
        "'<|end_of_text|>\n'";
    return {
        granite("granite",
                {"'<|start_of_role|>user<|end_of_role|>' + message['content'] + "
                 "'<|end_of_text|>\n'"},
                {"system_message"}, nullptr),
        granite("granite-3.1",
                {turn, "'Knowledge Cutoff Date: April 2024.\nToday's Date: '",
                 "' You are a helpful AI assistant.'"},
                {"image"}, granite31_system),
        granite("granite-3.3",
                {turn, "' Knowledge Cutoff Date: April 2024.\n Today's Date: '",
                 "'. You are Granite, developed by IBM.'", "' You are a helpful AI assistant.'"},
                {"image"}, granite33_system),
        granite("granite-4",
                {"'<|start_of_role|>' + message.role + '<|end_of_role|>' + content.val"},
                {"g4_default_system_message"}, no_system, true),
        granite("granite-4-nano",
                {"'<|start_of_role|>' + message.role + '<|end_of_role|>' + content.val",
                 "g4_default_system_message = 'You are a helpful assistant. Please ensure "
                 "responses are professional, accurate, and safe.'"},
                {}, granite4_system, true),
    };
}

} // namespace pillar::chat
