#include "pillar/terminal/streams.hpp"

#include "pillar/terminal/text_pipe.hpp"

#include <cstdlib>
#include <cstring>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

namespace pillar::terminal {

bool on_terminal() {
    // A launcher gives its ranks pipes; nothing else of it needs to be known.
    if (const char* told = std::getenv("PILLAR_TTY")) return std::strcmp(told, "1") == 0;
    return isatty(STDERR_FILENO) != 0;
}

bool text_is_watched() {
    return on_terminal() && (has_text_pipe() || isatty(STDOUT_FILENO) != 0);
}

void let_streams_arrive() noexcept {
    if (!has_text_pipe()) return;
    constexpr timespec a_moment{0, 50'000'000}; // what is on its way through mpirun
    constexpr int n_attempts = 20;
    for (int attempt = 0; attempt < n_attempts; ++attempt) {
        ::nanosleep(&a_moment, nullptr);
        int n_unread = 0;
        if (::ioctl(STDOUT_FILENO, FIONREAD, &n_unread) != 0 || n_unread == 0) return;
    }
}

} // namespace pillar::terminal
