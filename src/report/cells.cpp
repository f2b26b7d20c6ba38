#include "cells.hpp"

#include "pillar/core/errors.hpp"

namespace pillar::report {

std::string number(std::optional<double> value, int digits) {
    return value ? fmt::format("{:.{}f}", *value, digits) : none;
}

std::string seconds(double value) {
    return fmt::format("{:#.4g}", value);
}

std::string percent(double share) {
    return fmt::format("{:.1f} %", 100 * share);
}

std::string wait_percent(double wait, double uncertainty) {
    return wait < uncertainty ? "< " + percent(uncertainty) : percent(wait);
}

std::string cell(const std::string& text) {
    std::string result;
    for (const char c : printable(text))
        result += c == '|' ? std::string("\\|") : std::string(1, c);
    return result;
}

void add_line(std::string& text, const std::vector<std::string>& cells) {
    text += "| " + fmt::format("{}", fmt::join(cells, " | ")) + " |\n";
}

void add_head(std::string& text, const std::vector<std::string>& names, std::size_t n_left) {
    add_line(text, names);
    text += "|";
    for (std::size_t i = 0; i < names.size(); ++i) text += i < n_left ? "---|" : "---:|";
    text += "\n";
}

} // namespace pillar::report
