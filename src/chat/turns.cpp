#include "turns.hpp"

#include "written.hpp"

#include <algorithm>

namespace pillar::chat {

void write_header(PromptWriter& out, const Frame& frame, Role role) {
    out.marker(frame.before);
    out.marker(role == Role::assistant ? frame.assistant : name_of(role));
    out.marker(frame.between);
}

void write_turn(PromptWriter& out, const Frame& frame, Role role, std::string_view content) {
    write_header(out, frame, role);
    out.content(frame.strips ? stripped(content) : content);
    out.marker(frame.after);
}

void write_turns(PromptWriter& out, const Frame& frame, std::span<const Message> messages) {
    for (const Message& message : messages) write_turn(out, frame, message.role, message.content);
}

WithSystem::WithSystem(std::span<const Message> messages) : rest(messages) {
    if (messages.empty() || messages.front().role != Role::system) return;
    system = messages.front().content;
    rest = messages.subspan(1);
}

void expect_turns(std::span<const Message> messages) {
    for (std::size_t i = 0; i < messages.size(); ++i)
        if ((messages[i].role == Role::user) != (i % 2 == 0))
            throw Refusal("takes turns of user and assistant, the user's first, behind at most "
                          "one system message: put the messages into this order");
}

void expect_no_system(std::span<const Message> messages, bool may_be_empty) {
    const auto is_in_the_way = [may_be_empty](const Message& message) {
        return message.role == Role::system && !(may_be_empty && message.content.empty());
    };
    if (std::ranges::any_of(messages, is_in_the_way))
        throw Refusal("has no place for this system message: put its text into the user's");
}

} // namespace pillar::chat
