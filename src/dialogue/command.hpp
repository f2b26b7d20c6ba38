#pragma once
// What a line of a chat is: something said, or a word that begins with a slash.

#include <cstdint>
#include <string>
#include <string_view>

namespace pillar::dialogue {

enum class Word : std::uint8_t {
    said, ///< no command: the argument is the line
    regen,
    undo,
    system,
    save,
    load,
    stats,
    help,
    quit,
    unknown ///< the argument is the word
};

struct Command {
    Word word = Word::said;
    std::string argument; ///< without blanks around it
};

Command parse_command(std::string_view line);

/// Lines of at most 40 columns with the log's mark in front.
std::string_view help_text() noexcept;

} // namespace pillar::dialogue
