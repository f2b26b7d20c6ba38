#pragma once
// What most templates are made of: every message in the same frame, in the order in which they
// came; and the rules by which some refuse others.

#include "prompt_writer.hpp"

#include "pillar/chat/message.hpp"

#include <optional>
#include <span>
#include <stdexcept>
#include <string_view>

namespace pillar::chat {

/// before · role · between · content · after
struct Frame {
    std::string_view before, between, after;
    std::string_view assistant = "assistant"; ///< how the template calls it
    bool strips = false;                      ///< white space around the content
};

/// What stands in front of a content.
void write_header(PromptWriter& out, const Frame& frame, Role role);
void write_turn(PromptWriter& out, const Frame& frame, Role role, std::string_view content);
void write_turns(PromptWriter& out, const Frame& frame, std::span<const Message> messages);

/// A conversation in which the first message is special if it is a system one.
struct WithSystem {
    explicit WithSystem(std::span<const Message> messages);
    std::optional<std::string_view> system;
    std::span<const Message> rest;
};

/// What a template says of a conversation that it refuses, without the template's name in front.
struct Refusal : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// These throw Refusal.

/// Messages 0, 2, 4 … of these are the user's and the others are not.
void expect_turns(std::span<const Message> messages);
/// None of these is a system message, unless it is empty where that is allowed.
void expect_no_system(std::span<const Message> messages, bool may_be_empty = false);

} // namespace pillar::chat
