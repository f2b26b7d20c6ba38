#include "pillar/core/text.hpp"

#include "pillar/core/errors.hpp"

#include <algorithm>
#include <cctype>
#include <fmt/core.h>
#include <iterator>

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

std::string counted(std::size_t n, std::string_view noun) {
    return fmt::format("{} {}{}", n, noun, n == 1 ? "" : "s");
}

std::size_t begun_at_end(std::string_view text, std::string_view mark) noexcept {
    std::size_t n = std::min(text.size(), mark.size() - 1);
    while (n > 0 && !text.ends_with(mark.substr(0, n))) --n;
    return n;
}

std::string to_text(double number) {
    return fmt::format("{}", number);
}

std::string human_bytes(double n_bytes) {
    constexpr const char* units[] = {"B", "kB", "MB", "GB", "TB"};
    std::size_t unit = 0;
    while (n_bytes >= 999.5 && unit + 1 < std::size(units)) {
        n_bytes /= 1000.0;
        ++unit;
    }
    if (unit == 0) return fmt::format("{:.0f} B", n_bytes);
    return fmt::format("{:.{}f} {}", n_bytes,
                       n_bytes < 9.995   ? 2
                       : n_bytes < 99.95 ? 1
                                         : 0,
                       units[unit]);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for (;;) {
        const std::size_t end = text.find(separator);
        parts.push_back(text.substr(0, end));
        if (end == std::string_view::npos) return parts;
        text.remove_prefix(end + 1);
    }
}

std::string shell_word(std::string_view argument) {
    if (!argument.empty() && std::ranges::all_of(argument, needs_no_quotes))
        return std::string(argument);
    if (printable(argument, any_length) == argument)
        return fmt::format("'{}'", replaced(argument, '\'', R"('\'')"));
    const std::string escaped = replaced(replaced(argument, '\\', R"(\\)"), '\'', R"(\')");
    return fmt::format("$'{}'", printable(escaped, any_length));
}

} // namespace pillar
