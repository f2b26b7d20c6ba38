#pragma once
// Is another node cut off? A stopped process, even a swapping one, has a kernel that acknowledges
// what arrives; behind a cut cable nobody does.

namespace pillar::comm {

/// How long this process's longest unanswered TCP connection has had no acknowledgement, in
/// seconds, while data wait to be acknowledged and have been sent again in vain; 0: there is none.
/// Asks the kernel about each open file, some microseconds each: for waits that last.
double max_unacknowledged_s() noexcept;

} // namespace pillar::comm
