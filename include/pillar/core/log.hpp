#pragma once
// Messages for people, on stderr. Rank 0 speaks for the program; another rank's lines carry its
// rank and host. Generated text never passes here: it goes to stdout.

#include <fmt/core.h>
#include <string>
#include <string_view>

namespace pillar::log {

enum class Level { error, warning, info, debug };

/// The log identity; set once after the communicator exists. Until then the process speaks as rank
/// 0.
void set_identity(int rank, std::string_view host);
/// Nothing below this level is printed; the default is info.
void set_level(Level level) noexcept;
[[nodiscard]] Level level() noexcept;

/// Print one line whatever the rank. Safe to call from several threads.
void line(Level level, std::string_view text);

/// Print as it is, without a prefix or a line's end: progress, a prompt. Safe like line().
void text(std::string_view text);

/// Print on rank 0 only: what would be the same on every rank.
template <class... Args>
void root(Level level, fmt::format_string<Args...> format, Args&&... args);

template <class... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
    line(Level::error, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void warning(fmt::format_string<Args...> format, Args&&... args) {
    line(Level::warning, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
    line(Level::info, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
    line(Level::debug, fmt::format(format, std::forward<Args>(args)...));
}

[[nodiscard]] bool speaks_as_root() noexcept;

template <class... Args>
void root(Level level, fmt::format_string<Args...> format, Args&&... args) {
    if (speaks_as_root()) line(level, fmt::format(format, std::forward<Args>(args)...));
}

} // namespace pillar::log
