#pragma once
// What Markdown tables are made of.

#include <fmt/format.h>
#include <optional>
#include <string>
#include <vector>

namespace pillar::report {

inline constexpr const char* none = "–";

[[nodiscard]] std::string number(std::optional<double> value, int digits);
/// Four significant digits, without an exponent for times that occur.
[[nodiscard]] std::string seconds(double value);
[[nodiscard]] std::string percent(double share);
/// A waiting share below the clocks' uncertainty is only a bound.
[[nodiscard]] std::string wait_percent(double wait, double uncertainty);
/// What users typed must not break the table.
[[nodiscard]] std::string cell(const std::string& text);

void add_line(std::string& text, const std::vector<std::string>& cells);
/// The first `n_left` columns are texts, the others numbers.
void add_head(std::string& text, const std::vector<std::string>& names, std::size_t n_left);

} // namespace pillar::report
