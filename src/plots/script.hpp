#pragma once
// Pieces of gnuplot scripts.

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pillar::plots {

// Okabe and Ito, from dark to bright in grey: what lies side by side differs in brightness.
inline constexpr const char* blue = "#0072B2";
inline constexpr const char* vermilion = "#D55E00";
inline constexpr const char* green = "#009E73";
inline constexpr const char* purple = "#CC79A7";
inline constexpr const char* orange = "#E69F00";
inline constexpr const char* sky = "#56B4E9";
inline constexpr const char* yellow = "#F0E442";
inline constexpr const char* grey = "#999999";

/// Borders, grid, and line types 1 to 6 that differ in colour, dashes and points.
[[nodiscard]] std::string style();

/// In single quotes; control characters are made visible.
[[nodiscard]] std::string in_quotes(std::string_view text);

/// Two lines in double quotes.
[[nodiscard]] std::string in_double_quotes(std::string_view first, std::string_view second);

/// A named block of lines, its fields separated by tabs.
class Block {
  public:
    explicit Block(std::string name) : name_(std::move(name)) {}
    /// One line; texts are to be quoted by the caller where they hold blanks.
    void add(std::span<const double> numbers, std::string_view text = "");
    void add(std::initializer_list<double> numbers, std::string_view text = "");
    /// Ends a line of points and begins another one.
    void cut() { text_ += '\n'; }
    [[nodiscard]] bool is_empty() const noexcept { return text_.empty(); }
    /// Its definition.
    [[nodiscard]] std::string text() const;
    [[nodiscard]] const std::string& name() const noexcept { return name_; }

  private:
    std::string name_; ///< with its $
    std::string text_;
};

/// `set xtics ('1' 1, '2' 2)`
[[nodiscard]] std::string tics(std::string_view axis, std::span<const double> places,
                               std::span<const std::string> labels);
/// The same, each place labelled with itself.
[[nodiscard]] std::string tics(std::string_view axis, std::span<const double> places);

/// `plot a, b`, over several lines.
[[nodiscard]] std::string plot(const std::vector<std::string>& pieces);

} // namespace pillar::plots
