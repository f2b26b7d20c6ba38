#include "pillar/terminal/standard_output.hpp"

#include "pillar/terminal/text_pipe.hpp"
#include "pillar/terminal/waiting.hpp"

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <string>
#include <system_error>
#include <unistd.h>

namespace pillar::terminal {

namespace {

/// Open MPI 5's mpirun holds the beginning of a line back until its end is there, and may then
/// write it to standard error (5.0.7). Its launcher PRRTE sets the variable.
bool only_lines_pass() {
    static const bool is_held_back = std::getenv("PRTE_LAUNCHED") != nullptr && !has_text_pipe();
    return is_held_back;
}

IoError closed() {
    return {ExitCode::io, "standard output",
            "it is closed, what belongs there would be lost; send it to a file or to /dev/null"};
}

[[noreturn]] void fail(int reason) {
    if (reason == EPIPE) throw ReaderLeft();
    if (reason == EBADF) throw closed();
    throw IoError(ExitCode::io, "standard output",
                  std::string("cannot write: ") + std::generic_category().message(reason));
}

void write_all(std::string_view text, FunctionRef<void()> heartbeat) {
    while (!text.empty()) {
        wait_until_writable(STDOUT_FILENO, heartbeat);
        // A pipe that is ready takes this much without waiting.
        const std::string_view piece = text.substr(0, PIPE_BUF);
        const ssize_t n = ::write(STDOUT_FILENO, piece.data(), piece.size());
        if (n >= 0)
            text.remove_prefix(static_cast<std::size_t>(n));
        else if (errno != EINTR && errno != EAGAIN)
            fail(errno);
    }
}

/// The beginning of a line waits in the stream's buffer, and leaves with its end in one piece.
void write_lines(std::string_view text, FunctionRef<void()> heartbeat) {
    const auto write = [](std::string_view piece) {
        return std::fwrite(piece.data(), 1, piece.size(), stdout) == piece.size();
    };
    wait_until_writable(STDOUT_FILENO, heartbeat);
    const std::size_t n_now = text.rfind('\n') + 1; // npos + 1: 0
    const bool is_out = n_now == 0 || (write(text.substr(0, n_now)) && std::fflush(stdout) == 0);
    if (!is_out || !write(text.substr(n_now))) fail(errno);
}

} // namespace

void write_text(std::string_view text, FunctionRef<void()> heartbeat) {
    only_lines_pass() ? write_lines(text, heartbeat) : write_all(text, heartbeat);
}

void expect_standard_output() {
    const int flags = ::fcntl(STDOUT_FILENO, F_GETFL);
    if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY) throw closed();
}

} // namespace pillar::terminal
