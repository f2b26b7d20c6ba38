#pragma once
// What to do between two polls that found nothing: spin, let others run, or sleep.
// A message usually comes within microseconds, so spinning comes first; but cores may be fewer than
// ranks, and rank 0 may be waiting for a person to type.

namespace pillar::comm {

/// Called about once a millisecond at most while a wait lasts that began at `since_s`: the
/// watchdog's place. Must not throw.
using PollHook = void (*)(void* context, double since_s);

/// Spin for this long before sleeping between polls: where all ranks are busy with the same step …
inline constexpr double step_sleep_after_s = 1.0;
/// … and where the others wait for rank 0 (a user, a file) or for the slowest disk.
inline constexpr double idle_sleep_after_s = 20e-3;

class Backoff {
  public:
    /// `since_s`: when the wait began. `yields`: give the CPU away from the start.
    Backoff(double since_s, double sleep_after_s, bool yields, PollHook hook,
            void* context) noexcept
        : since_s_(since_s), sleep_after_s_(sleep_after_s), last_hook_s_(since_s), yields_(yields),
          hook_(hook), context_(context) {}

    /// Call after each poll in vain.
    void pause() noexcept;

  private:
    double since_s_;
    double sleep_after_s_;
    double last_hook_s_;
    bool yields_;
    PollHook hook_;
    void* context_;
    unsigned n_polls_ = 0;
};

} // namespace pillar::comm
