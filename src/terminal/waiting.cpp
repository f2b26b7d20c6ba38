#include "pillar/terminal/waiting.hpp"

#include <poll.h>

namespace pillar::terminal {

namespace {

void wait_for(int descriptor, short event, FunctionRef<void()> heartbeat) {
    pollfd what{descriptor, event, 0};
    while (::poll(&what, 1, 100) <= 0) heartbeat(); // a signal cuts it short
}

} // namespace

void wait_until_readable(int descriptor, FunctionRef<void()> heartbeat) {
    wait_for(descriptor, POLLIN, heartbeat);
}

void wait_until_writable(int descriptor, FunctionRef<void()> heartbeat) {
    wait_for(descriptor, POLLOUT, heartbeat);
}

} // namespace pillar::terminal
