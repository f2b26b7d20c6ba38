#include "pillar/tables/markdown.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/core/utf8.hpp"

#include <algorithm>
#include <fmt/core.h>

namespace pillar::tables {

namespace {

std::size_t n_characters(std::string_view text) {
    std::size_t n = 0;
    for (std::size_t at = 0; at < text.size(); at += next_unit(text, at).size) ++n;
    return n;
}

} // namespace

std::string number(std::optional<double> value, int digits) {
    return value ? fmt::format("{:.{}f}", *value, digits) : none;
}

std::string seconds(double value) {
    return value < 9999.5 ? fmt::format("{:#.4g}", value) : fmt::format("{:.0f}", value);
}

std::string percent(double share, int digits) {
    return fmt::format("{:.{}f} %", 100 * share, digits);
}

std::string cell(std::string_view text) {
    std::string result;
    for (const char c : printable(text)) c == '|' ? result.append("\\|") : result.append(1, c);
    return result;
}

Column text_column(std::string title, std::size_t width) {
    return {std::move(title), Column::Align::left, width};
}

Column number_column(std::string title, std::size_t width) {
    return {std::move(title), Column::Align::right, width};
}

std::string MarkdownTable::head() const {
    std::vector<std::string> titles;
    std::string rule = "|";
    for (const Column& column : columns_) {
        titles.push_back(column.title);
        const std::size_t width = std::max<std::size_t>(column.width, 3);
        rule += column.align == Column::Align::left
                    ? fmt::format(" {} |", std::string(width, '-'))
                    : fmt::format(" {}: |", std::string(width - 1, '-'));
    }
    return row(titles) + rule + "\n";
}

std::string MarkdownTable::row(const std::vector<std::string>& cells) const {
    expects(cells.size() == columns_.size(), "a row has a cell for every column");
    std::string line = "|";
    for (std::size_t i = 0; i < cells.size(); ++i)
        line += columns_[i].align == Column::Align::left
                    ? fmt::format(" {:<{}} |", cells[i], columns_[i].width)
                    : fmt::format(" {:>{}} |", cells[i], columns_[i].width);
    return line + "\n";
}

std::string markdown(std::vector<Column> columns,
                     const std::vector<std::vector<std::string>>& rows) {
    for (std::size_t i = 0; i < columns.size(); ++i) {
        std::size_t& width = columns[i].width;
        width = std::max({width, std::size_t{3}, n_characters(columns[i].title)});
        for (const std::vector<std::string>& cells : rows)
            if (i < cells.size()) width = std::max(width, n_characters(cells[i]));
    }
    const MarkdownTable table(std::move(columns));
    std::string text = table.head();
    for (const std::vector<std::string>& cells : rows) text += table.row(cells);
    return text;
}

} // namespace pillar::tables
