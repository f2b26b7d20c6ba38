#pragma once
// What was said so far, as an OpenAI-style list of messages says it.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pillar::chat {

enum class Role : std::uint8_t { system, user, assistant };
/// "system", "user", "assistant".
std::string_view name_of(Role role) noexcept;

struct Message {
    Role role = Role::user;
    std::string content;
};

using Conversation = std::vector<Message>;

/// The messages of a JSON list [{"role": "user", "content": "…"}, …]. A content may also be a list
/// of {"type": "text", "text": "…"}, whose texts become lines of one. Throws FormatError that names
/// `file` and the place: anything else than these keys and roles, and nesting too deep for them.
Conversation parse_messages(std::string_view json, const std::string& file);

/// The same as text, a message a line; U+FFFD for what is no UTF-8.
std::string messages_json(const Conversation& messages);

} // namespace pillar::chat
