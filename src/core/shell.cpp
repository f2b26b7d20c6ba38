#include "pillar/core/shell.hpp"

#include "pillar/core/errors.hpp"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>

namespace pillar {

namespace {

constexpr std::size_t any_length = std::string::npos / 2;

bool needs_no_quotes(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("_-./:=,@%+").find(c) != std::string_view::npos;
}

std::string replaced(std::string_view text, char what, std::string_view by) {
    std::string result;
    for (const char c : text) c == what ? result.append(by) : result.append(1, c);
    return result;
}

} // namespace

std::string shell_word(std::string_view argument) {
    if (!argument.empty() && std::ranges::all_of(argument, needs_no_quotes))
        return std::string(argument);
    if (printable(argument, any_length) == argument)
        return fmt::format("'{}'", replaced(argument, '\'', R"('\'')"));
    const std::string escaped = replaced(replaced(argument, '\\', R"(\\)"), '\'', R"(\')");
    return fmt::format("$'{}'", printable(escaped, any_length));
}

} // namespace pillar
