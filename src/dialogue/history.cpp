#include "history.hpp"

#include <algorithm>
#include <utility>

namespace pillar::dialogue {

using chat::Message;
using chat::Role;

std::size_t History::n_turns() const noexcept {
    return static_cast<std::size_t>(std::ranges::count(messages_, Role::user, &Message::role));
}

bool History::awaits_answer() const noexcept {
    return !messages_.empty() && messages_.back().role == Role::user;
}

std::size_t History::first_turn() const noexcept {
    return !messages_.empty() && messages_.front().role == Role::system ? 1 : 0;
}

void History::say(std::string text) {
    messages_.push_back({Role::user, std::move(text)});
}
void History::answer(std::string text) {
    messages_.push_back({Role::assistant, std::move(text)});
}

void History::set_system(std::string text) {
    if (first_turn() == 1) messages_.erase(messages_.begin());
    if (!text.empty()) messages_.insert(messages_.begin(), {Role::system, std::move(text)});
}

bool History::forget_answer() {
    if (messages_.empty() || messages_.back().role != Role::assistant) return false;
    messages_.pop_back();
    return true;
}

bool History::undo() {
    while (messages_.size() > first_turn()) {
        const Role role = messages_.back().role;
        messages_.pop_back();
        if (role == Role::user || messages_.size() == first_turn()) return true;
    }
    return false;
}

bool History::drop_oldest() {
    if (messages_.size() <= first_turn()) return false;
    const auto begin = messages_.begin() + static_cast<std::ptrdiff_t>(first_turn());
    const auto next = std::find_if(begin + 1, messages_.end(), [](const Message& message) {
        return message.role == Role::user;
    });
    if (next == messages_.end()) return false;
    messages_.erase(begin, next);
    return true;
}

} // namespace pillar::dialogue
