// Llama 3: <|start_header_id|>role<|end_header_id|>. From 3.1 on there always is a system message,
// which begins with two dates.

#include "families.hpp"
#include "turns.hpp"
#include "written.hpp"

#include <string>

namespace pillar::chat {

namespace {

constexpr Frame frame = {.before = "<|start_header_id|>",
                         .between = "<|end_header_id|>\n\n",
                         .after = "<|eot_id|>",
                         .strips = true};

void write_llama3(PromptWriter& out, const Conversation& messages, const Settings& settings) {
    out.marker(settings.bos);
    write_turns(out, frame, messages);
    if (settings.add_generation_prompt) write_header(out, frame, Role::assistant);
}

void write_dated(PromptWriter& out, const Conversation& messages, const Settings& settings,
                 const std::string& date) {
    const WithSystem parts(messages);
    out.marker(settings.bos);
    write_header(out, frame, Role::system);
    out.marker("Cutting Knowledge Date: December 2023\nToday Date: " + date + "\n\n");
    if (parts.system) out.content(stripped(*parts.system));
    out.marker(frame.after);
    write_turns(out, frame, parts.rest);
    if (settings.add_generation_prompt) write_header(out, frame, Role::assistant);
}

void write_llama31(PromptWriter& out, const Conversation& messages, const Settings& settings) {
    write_dated(out, messages, settings, "26 Jul 2024"); // the template's own
}

void write_llama32(PromptWriter& out, const Conversation& messages, const Settings& settings) {
    write_dated(out, messages, settings, day_month_year(settings.today));
}

} // namespace

std::vector<Template> llama3_templates() {
    const std::string_view turn = "'<|start_header_id|>' + message['role'] + "
                                  "'<|end_header_id|>\n\n'+ message['content'] | trim + "
                                  "'<|eot_id|>'";
    const std::string_view dates = "'Cutting Knowledge Date: December 2023\n'";
    const std::string_view now = "strftime_now('%d %b %Y')";
    return {
        {"llama3",
         {turn, "bos_token + content", "if add_generation_prompt"},
         {dates, "enable_thinking", "tools"},
         write_llama3},
        {"llama3.1",
         {turn, dates, "date_string = '26 Jul 2024'"},
         {now, "enable_thinking", "image"},
         write_llama31},
        {"llama3.2", {turn, dates, now}, {"enable_thinking", "image"}, write_llama32},
    };
}

} // namespace pillar::chat
