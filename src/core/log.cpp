// One write(2) a line, so that lines of several threads and ranks do not mix.

#include "pillar/core/log.hpp"

#include <atomic>
#include <cerrno>
#include <mutex>
#include <poll.h>
#include <string>
#include <unistd.h>

namespace pillar::log {

namespace {

std::atomic<Level> lowest_level{Level::info};
std::atomic<bool> is_root{true};

std::mutex identity_mutex;
std::string& identity() { // "" on rank 0, else " rank 3 on node"
    static std::string text;
    return text;
}

std::string_view prefix(Level level) {
    switch (level) {
    case Level::error:
        return "error: ";
    case Level::warning:
        return "warning: ";
    case Level::info:
        return "";
    case Level::debug:
        return "debug: ";
    }
    return "";
}

void write_all(std::string_view text) {
    while (!text.empty()) {
        const ssize_t n = ::write(STDERR_FILENO, text.data(), text.size());
        if (n >= 0) {
            text.remove_prefix(static_cast<std::size_t>(n));
        } else if (errno == EAGAIN ||
                   errno == EWOULDBLOCK) { // the launcher's pipe may be non-blocking
            pollfd ready{STDERR_FILENO, POLLOUT, 0};
            if (::poll(&ready, 1, 1000) <= 0) return; // nobody reads: a message is not worth a hang
        } else if (errno != EINTR) {
            return;
        }
    }
}

} // namespace

void set_identity(int rank, std::string_view host) {
    const std::lock_guard lock(identity_mutex);
    identity() = rank == 0 ? std::string() : fmt::format(" rank {} on {}", rank, host);
    is_root.store(rank == 0, std::memory_order_relaxed);
}

void set_level(Level level) noexcept {
    lowest_level.store(level, std::memory_order_relaxed);
}

Level level() noexcept {
    return lowest_level.load(std::memory_order_relaxed);
}

bool speaks_as_root() noexcept {
    return is_root.load(std::memory_order_relaxed);
}

void line(Level level, std::string_view text) {
    if (level > log::level()) return;
    const std::lock_guard lock(identity_mutex);
    write_all(fmt::format("[pillar{}] {}{}\n", identity(), prefix(level), text));
}

void text(std::string_view text) {
    const std::lock_guard lock(identity_mutex);
    write_all(text);
}

} // namespace pillar::log
