#include "turn_input.hpp"

#include "pillar/core/errors.hpp"

#include <fmt/core.h>

namespace pillar::dialogue {

std::optional<std::string> TurnInput::next(FunctionRef<void()> heartbeat) {
    std::string turn;
    for (bool has_any = false;; has_any = true) {
        std::optional<terminal::InputLines::Line> line = lines_.next(heartbeat);
        if (!line) return has_any ? std::optional(turn) : std::nullopt;
        if (line->is_too_long || turn.size() > terminal::max_line_bytes)
            throw UsageError(fmt::format("what was typed has more than {} bytes: say less at once",
                                         terminal::max_line_bytes));
        turn += line->text;
        if (!turn.ends_with('\\')) return turn;
        turn.back() = '\n';
    }
}

} // namespace pillar::dialogue
