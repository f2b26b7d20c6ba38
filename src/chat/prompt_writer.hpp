#pragma once
// Puts a prompt together and keeps apart what the template and what people wrote.

#include "pillar/chat/prompt.hpp"

#include <string_view>
#include <utility>

namespace pillar::chat {

class PromptWriter {
  public:
    /// The template's own: control tokens in it count.
    void marker(std::string_view text) { add(text, true); }
    /// Of a message.
    void content(std::string_view text) { add(text, false); }
    [[nodiscard]] Prompt take() noexcept { return std::move(prompt_); }

  private:
    void add(std::string_view text, bool parse_special);

    Prompt prompt_;
};

} // namespace pillar::chat
