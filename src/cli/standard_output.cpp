#include "standard_output.hpp"

#include "waiting.hpp"

#include "pillar/core/errors.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <unistd.h>

namespace pillar::cli {

namespace {

/// Open MPI 5's mpirun holds the beginning of a line back until its end is there, and may then
/// write it to standard error (5.0.7). Its launcher PRRTE sets the variable.
bool only_lines_pass() {
    static const bool is_held_back = std::getenv("PRTE_LAUNCHED") != nullptr && !has_text_pipe();
    return is_held_back;
}

bool write(std::string_view text) {
    return std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
}

} // namespace

void write_text(std::string_view text, FunctionRef<void()> attend) {
    wait_until_writable(STDOUT_FILENO, attend);
    const std::size_t n_now = only_lines_pass() ? text.rfind('\n') + 1 : text.size(); // npos + 1: 0
    const bool is_out = n_now == 0 || (write(text.substr(0, n_now)) && std::fflush(stdout) == 0);
    if (!is_out || !write(text.substr(n_now)))
        throw IoError::from_errno("standard output", "write", errno);
}

} // namespace pillar::cli
