#include "pillar/core/program.hpp"

#include <csignal>
#include <fcntl.h>
#include <unistd.h>

namespace pillar {

void open_standard_descriptors() noexcept {
    constexpr int wrong_way_or_sink[] = {O_WRONLY, O_RDONLY, O_WRONLY};
    for (int descriptor = 0; descriptor < 3;
         ++descriptor) { // open(2) gives the lowest that is free
        if (::fcntl(descriptor, F_GETFD) >= 0) continue;
        if (::open("/dev/null", wrong_way_or_sink[descriptor]) < 0)
            (void)::open("/", O_RDONLY | O_DIRECTORY); // no /dev here: neither read nor written
    }
}

void ignore_write_signals() noexcept {
    struct sigaction action {};
    action.sa_handler = SIG_IGN;
    ::sigaction(SIGPIPE, &action, nullptr);
    ::sigaction(SIGXFSZ, &action, nullptr);
}

} // namespace pillar
