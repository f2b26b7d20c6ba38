#include "pillar/terminal/text_pipe.hpp"

#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

namespace pillar::terminal {

namespace {

/// The script starts the reader just before the ranks.
constexpr int n_attempts = 40;
constexpr timespec between_attempts{0, 25'000'000};

/// A file beside the pipe; empty: no pipe was taken.
std::string mark;

} // namespace

void take_text_pipe() {
    const char* path = std::getenv("PILLAR_TEXT_PIPE");
    struct stat status {};
    if (path == nullptr || ::stat(path, &status) != 0 || !S_ISFIFO(status.st_mode)) return;
    for (int attempt = 0; attempt < n_attempts; ++attempt) {
        const int pipe = ::open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC); // fails without a reader
        if (pipe >= 0) {
            ::fcntl(pipe, F_SETFL, ::fcntl(pipe, F_GETFL) & ~O_NONBLOCK);
            ::dup2(pipe, STDOUT_FILENO);
            ::close(pipe);
            mark = std::string(path) + ".open";
            ::close(::open(mark.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
            return;
        }
        ::nanosleep(&between_attempts, nullptr);
    }
}

bool has_text_pipe() noexcept {
    return !mark.empty();
}

void leave_text_pipe() noexcept {
    if (!mark.empty()) std::remove(mark.c_str());
}

} // namespace pillar::terminal
