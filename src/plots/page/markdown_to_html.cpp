#include "page/markdown_to_html.hpp"

#include "pillar/core/text.hpp"
#include "pillar/core/utf8.hpp"

#include <vector>

namespace pillar::plots {

namespace {

std::string_view stripped(std::string_view text) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    return text;
}

/// Cells of "| a | b \| c |".
std::vector<std::string> cells_of(std::string_view line) {
    std::vector<std::string> cells;
    std::string cell;
    for (std::size_t i = 1; i < line.size(); ++i) {
        if (line[i] == '\\' && i + 1 < line.size() && line[i + 1] == '|') {
            cell += line[++i];
        } else if (line[i] == '|') {
            cells.emplace_back(stripped(cell));
            cell.clear();
        } else {
            cell += line[i];
        }
    }
    return cells;
}

/// `code` within a sentence.
std::string inline_text(std::string_view text) {
    std::string html;
    bool is_code = false;
    for (const std::string_view piece : split(text, '`')) {
        html += is_code ? "<code>" + escaped(piece) + "</code>" : escaped(piece);
        is_code = !is_code;
    }
    return html;
}

class Converter {
  public:
    std::string convert(std::string_view markdown) {
        for (const std::string_view line : split(markdown, '\n')) add(line);
        end_all();
        return std::move(html_);
    }

  private:
    enum class Open { nothing, paragraph, list, table };

    void end_all() {
        switch (open_) {
        case Open::paragraph:
            html_ += "</p>\n";
            break;
        case Open::list:
            html_ += "</ul>\n";
            break;
        case Open::table:
            html_ += "</tbody></table></div>\n";
            break;
        case Open::nothing:
            break;
        }
        open_ = Open::nothing;
        n_table_lines_ = 0;
    }
    /// True where it was not open before.
    bool begin(Open wanted, const char* tag) {
        if (open_ == wanted) return false;
        end_all();
        open_ = wanted;
        html_ += tag;
        return true;
    }
    void add(std::string_view line) {
        if (stripped(line).empty()) {
            end_all();
        } else if (line.starts_with("### ") || line.starts_with("## ")) {
            end_all();
            const bool is_part = line.starts_with("### ");
            const char* tag = is_part ? "h3" : "h2";
            html_ += std::string("<") + tag + ">" + inline_text(line.substr(is_part ? 4 : 3)) +
                     "</" + tag + ">\n";
        } else if (line.front() == '|') {
            add_table_line(line);
        } else if (line.starts_with("- ")) {
            begin(Open::list, "<ul>\n");
            html_ += "<li>" + inline_text(line.substr(2)) + "</li>\n";
        } else {
            if (!begin(Open::paragraph, "<p>")) html_ += ' ';
            html_ += inline_text(line);
        }
    }
    void add_table_line(std::string_view line) {
        begin(Open::table, "<div class=\"table\"><table><thead>\n");
        const std::vector<std::string> cells = cells_of(line);
        if (++n_table_lines_ == 1) {
            titles_ = cells;
            return;
        }
        if (n_table_lines_ == 2) { // the rule says how columns are aligned
            is_number_.clear();
            for (const std::string& cell : cells) is_number_.push_back(cell.ends_with(':'));
            add_cells(titles_, "th");
            html_ += "</thead><tbody>\n";
            return;
        }
        add_cells(cells, "td");
    }
    void add_cells(const std::vector<std::string>& cells, const std::string& tag) {
        html_ += "<tr>";
        for (std::size_t i = 0; i < cells.size(); ++i) {
            const bool is_number = i < is_number_.size() && is_number_[i];
            html_ += "<" + tag + (is_number ? " class=\"number\">" : ">") + inline_text(cells[i]) +
                     "</" + tag + ">";
        }
        html_ += "</tr>\n";
    }

    std::string html_;
    Open open_ = Open::nothing;
    std::size_t n_table_lines_ = 0;
    std::vector<std::string> titles_;
    std::vector<bool> is_number_;
};

} // namespace

std::string markdown_to_html(std::string_view markdown) {
    return Converter().convert(markdown);
}

std::string escaped(std::string_view text) {
    std::string html;
    for (const char c : to_valid_utf8(text)) {
        switch (c) {
        case '<':
            html += "&lt;";
            break;
        case '>':
            html += "&gt;";
            break;
        case '&':
            html += "&amp;";
            break;
        case '"':
            html += "&quot;";
            break;
        default:
            html += c;
        }
    }
    return html;
}

} // namespace pillar::plots
