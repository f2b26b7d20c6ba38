#include "command.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace pillar::dialogue {

namespace {

constexpr std::array<std::pair<std::string_view, Word>, 8> words{{{"/regen", Word::regen},
                                                                  {"/undo", Word::undo},
                                                                  {"/system", Word::system},
                                                                  {"/save", Word::save},
                                                                  {"/load", Word::load},
                                                                  {"/stats", Word::stats},
                                                                  {"/help", Word::help},
                                                                  {"/quit", Word::quit}}};

std::string_view without_blanks(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n";
    const std::size_t first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

} // namespace

Command parse_command(std::string_view line) {
    if (!line.starts_with('/')) return {Word::said, std::string(line)};
    const std::size_t end = std::min(line.find_first_of(" \t\n"), line.size());
    const std::string_view typed = line.substr(0, end);
    const auto* const found =
        std::ranges::find(words, typed, &std::pair<std::string_view, Word>::first);
    if (found == words.end()) return {Word::unknown, std::string(typed)};
    return {found->second, std::string(without_blanks(line.substr(end)))};
}

std::string_view help_text() noexcept {
    return "/regen        answer once more\n"
           "/undo         drop a turn\n"
           "/system TEXT  what the model is\n"
           "              told first\n"
           "/save FILE    keep what is said\n"
           "/load FILE    go on from there\n"
           "/stats        tokens and speed\n"
           "/quit         end, as Ctrl-D\n"
           "A \\ at a line's end: more\n"
           "follows. Ctrl-C ends an answer.\n";
}

} // namespace pillar::dialogue
