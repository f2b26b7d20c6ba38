#pragma once
// What was said: at most one system message, then turns, each of a user's message and its answer.

#include "pillar/chat/message.hpp"

#include <string>

namespace pillar::dialogue {

class History {
  public:
    [[nodiscard]] const chat::Conversation& messages() const noexcept { return messages_; }
    [[nodiscard]] std::size_t n_turns() const noexcept;
    /// The user's message has no answer.
    [[nodiscard]] bool awaits_answer() const noexcept;

    void replace(chat::Conversation messages) { messages_ = std::move(messages); }
    void say(std::string text);
    void answer(std::string text);
    /// Empty: none.
    void set_system(std::string text);
    /// False: there is no answer at the end.
    bool forget_answer();
    /// The last turn. False: there is none.
    bool undo();
    /// The first turn. False: it is the last one too.
    bool drop_oldest();

  private:
    [[nodiscard]] std::size_t first_turn() const noexcept;

    chat::Conversation messages_;
};

} // namespace pillar::dialogue
