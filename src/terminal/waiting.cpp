#include "pillar/terminal/waiting.hpp"

#include <poll.h>

namespace pillar::terminal {

namespace {

void wait_for(int descriptor, short event, FunctionRef<void()> attend) {
    pollfd what{descriptor, event, 0};
    while (::poll(&what, 1, 100) <= 0) attend(); // a signal cuts it short
}

} // namespace

void wait_until_readable(int descriptor, FunctionRef<void()> attend) {
    wait_for(descriptor, POLLIN, attend);
}

void wait_until_writable(int descriptor, FunctionRef<void()> attend) {
    wait_for(descriptor, POLLOUT, attend);
}

} // namespace pillar::terminal
