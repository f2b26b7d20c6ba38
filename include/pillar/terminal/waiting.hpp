#pragma once
// Rank 0 waits for a person or another program: for text on its input, for room in a pipe that
// nobody reads. The other ranks wait for rank 0 meanwhile and must not take it for dead.

#include "pillar/core/function_ref.hpp"

namespace pillar::terminal {

/// Until reading from `descriptor` would not block (or writing to it); `heartbeat` is called ten
/// times a second until then. A descriptor that is closed or broken is ready: the call that follows
/// tells why.
void wait_until_readable(int descriptor, FunctionRef<void()> heartbeat);
void wait_until_writable(int descriptor, FunctionRef<void()> heartbeat);

} // namespace pillar::terminal
