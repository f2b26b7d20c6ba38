#include "script.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/core/text.hpp"

#include <cmath>
#include <fmt/core.h>

namespace pillar::plots {

std::string style() {
    struct Line {
        const char* colour;
        int dashes;
        int point;
    };
    constexpr Line lines[] = {{blue, 1, 7},    {vermilion, 2, 5}, {green, 4, 9},
                              {purple, 5, 11}, {orange, 3, 13},   {"#000000", 6, 4}};
    std::string text = "set encoding utf8\n"
                       "set border 3 linewidth 1 linecolor '#404040'\n"
                       "set tics nomirror out\n"
                       "set grid ytics linecolor '#b8b8b8' linewidth 0.8\n"
                       "set key below Left reverse maxrows 3 samplen 3 spacing 1.15 height 0.6\n";
    int n = 0;
    for (const Line& line : lines)
        text += fmt::format("set linetype {} linecolor '{}' linewidth 2 dashtype {} pointtype {} "
                            "pointsize 1.1\n",
                            ++n, line.colour, line.dashes, line.point);
    return text;
}

std::string in_quotes(std::string_view text) {
    std::string result = "'";
    for (const char c : printable(text, 200)) {
        if (c == '\'') result += c;
        result += c;
    }
    return result + "'";
}

std::string in_double_quotes(std::string_view first, std::string_view second) {
    std::string text;
    for (const std::string_view line : {first, second}) {
        if (!text.empty()) text += "\\n";
        for (const char c : printable(line, 90)) {
            if (c == '"' || c == '\\') text += '\\';
            text += c;
        }
    }
    return '"' + text + '"';
}

void Block::add(std::span<const double> numbers, std::string_view text) {
    for (const double number : numbers) {
        if (text_.size() > 0 && text_.back() != '\n') text_ += '\t';
        text_ += std::isfinite(number) ? fmt::format("{:.9g}", number) : "NaN";
    }
    if (!text.empty()) {
        // Double quotes are what gnuplot takes around texts in data.
        text_ += "\t\"";
        for (const char c : printable(text, 200)) text_ += c == '"' ? '\'' : c;
        text_ += '"';
    }
    text_ += '\n';
}

void Block::add(std::initializer_list<double> numbers, std::string_view text) {
    add(std::span(numbers.begin(), numbers.size()), text);
}

std::string Block::text() const {
    return name_ + " << END_OF_DATA\n" + text_ + "END_OF_DATA\n";
}

std::string tics(std::string_view axis, std::span<const double> places,
                 std::span<const std::string> labels) {
    std::vector<std::string> pieces;
    for (std::size_t i = 0; i < places.size(); ++i)
        pieces.push_back(fmt::format("{} {:g}", in_quotes(labels[i]), places[i]));
    return fmt::format("set {}tics ({})\n", axis, joined(pieces, ", "));
}

std::string tics(std::string_view axis, std::span<const double> places) {
    std::vector<std::string> labels;
    for (const double place : places) labels.push_back(fmt::format("{:g}", place));
    return tics(axis, places, labels);
}

std::string plot(const std::vector<std::string>& pieces) {
    return "plot " + joined(pieces, ", \\\n     ") + "\n";
}

} // namespace pillar::plots
