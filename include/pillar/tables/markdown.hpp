#pragma once
// Tables for people, in Markdown that is readable as it stands. Columns have their unit in the
// title ("min us", "KV cache").

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pillar::tables {

/// What was not measured.
inline constexpr const char* none = "–";

[[nodiscard]] std::string number(std::optional<double> value, int digits);
/// Four significant digits, without an exponent for large ones.
[[nodiscard]] std::string seconds(double value);
[[nodiscard]] std::string percent(double share, int digits = 1);
/// What users typed must not break the table.
[[nodiscard]] std::string cell(std::string_view text);

struct Column {
    enum class Align { left, right };
    std::string title;
    Align align = Align::right;
    std::size_t width = 0; ///< of its cells at least
};
/// A column of text, and one of numbers.
[[nodiscard]] Column text_column(std::string title, std::size_t width = 0);
[[nodiscard]] Column number_column(std::string title, std::size_t width = 0);

class MarkdownTable {
  public:
    explicit MarkdownTable(std::vector<Column> columns) : columns_(std::move(columns)) {}
    /// The line of titles and the rule below it.
    [[nodiscard]] std::string head() const;
    /// One cell a column.
    [[nodiscard]] std::string row(const std::vector<std::string>& cells) const;

  private:
    std::vector<Column> columns_;
};

/// All of it, from the head to the last row, as wide as the widest cells.
[[nodiscard]] std::string markdown(std::vector<Column> columns,
                                   const std::vector<std::vector<std::string>>& rows);

} // namespace pillar::tables
