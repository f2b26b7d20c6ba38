#include "streams.hpp"

#include "standard_output.hpp"

#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

namespace pillar::cli {

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

} // namespace pillar::cli
