#pragma once
// The lines of a file or of standard input, one at a time, however many there are.

#include "pillar/core/function_ref.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pillar::terminal {

inline constexpr std::size_t max_line_bytes = std::size_t{16} << 20;

/// Rank 0 only.
class InputLines {
  public:
    /// "-": standard input. Throws IoError.
    explicit InputLines(const std::string& path);
    ~InputLines();
    InputLines(const InputLines&) = delete;
    InputLines& operator=(const InputLines&) = delete;

    struct Line {
        std::uint64_t number = 0; ///< from 0
        std::string text;         ///< without its line end
        bool is_too_long = false; ///< more than max_line_bytes: the text is its beginning
    };
    /// Whether next() would not wait: something is there, or the end.
    [[nodiscard]] bool is_ready() const;
    /// nullopt at the end. `heartbeat` is called while nothing comes. Throws IoError.
    std::optional<Line> next(FunctionRef<void()> heartbeat);

    /// Lines of the whole input; nullopt of standard input.
    [[nodiscard]] std::optional<std::uint64_t> count(FunctionRef<void()> heartbeat) const;

  private:
    bool fill(FunctionRef<void()> heartbeat);

    std::string path_;
    int file_ = -1;
    bool is_standard_input_;
    bool is_regular_ = true; ///< else it may let us wait: a pipe, a terminal
    std::vector<char> piece_;
    std::size_t begin_ = 0, end_ = 0; ///< of what is read and not given out
    std::uint64_t n_lines_ = 0;
};

} // namespace pillar::terminal
