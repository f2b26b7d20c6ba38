#pragma once
// The one clock of all measurements, CLOCK_MONOTONIC_RAW in seconds (not slewed by NTP; how ranks'
// clocks are put on one axis is trace's business), and what is timed and counted with it.
//
// What one rank remembers of one step: when it began and ended, and for each collective when this
// rank arrived and when it could go on. compute = step − Σ(end − begin); waiting and wire are told
// apart later, when the arrivals of all ranks are known (trace/). Filled by comm and engine, read
// by trace; storage is reserved once.

#include <cstdint>
#include <vector>

namespace pillar {

/// Seconds since an arbitrary origin of this host, never going back.
double monotonic_s() noexcept;

/// Seconds since the epoch (UTC), for provenance only.
double wall_clock_s() noexcept;

class Stopwatch {
  public:
    Stopwatch() noexcept : start_s_(monotonic_s()) {}
    [[nodiscard]] double elapsed_s() const noexcept { return monotonic_s() - start_s_; }
    void restart() noexcept { start_s_ = monotonic_s(); }

  private:
    double start_s_;
};

enum class CollectiveKind : std::uint8_t { broadcast, allreduce, gather };

struct CollectiveTiming {
    double begin_s = 0;      ///< this rank arrived (monotonic_s of its host)
    double end_s = 0;        ///< this rank has its result
    std::uint32_t bytes = 0; ///< payload of the collective on this rank
    CollectiveKind kind = CollectiveKind::broadcast;
};

/// Traffic of this rank as pillar counts it: payload bytes of point-to-point messages.
struct Traffic {
    std::uint64_t bytes_sent = 0;
    std::uint64_t messages_sent = 0;

    Traffic& operator+=(const Traffic& more) noexcept {
        bytes_sent += more.bytes_sent;
        messages_sent += more.messages_sent;
        return *this;
    }
    /// What was sent since `before`.
    friend Traffic operator-(const Traffic& now, const Traffic& before) noexcept {
        return {now.bytes_sent - before.bytes_sent, now.messages_sent - before.messages_sent};
    }
    friend Traffic operator*(std::uint64_t times, const Traffic& one) noexcept {
        return {times * one.bytes_sent, times * one.messages_sent};
    }
    bool operator==(const Traffic&) const = default;
};

struct StepTimeline {
    double begin_s = 0;
    double end_s = 0;
    double layers_begin_s = 0;                 ///< the first layer's; 0: not noted
    Traffic traffic;                           ///< of the step's collectives alone
    std::vector<CollectiveTiming> collectives; ///< in program order, the same order on every rank
    std::vector<double> barrier_s; ///< (threads) what each waited at barriers for other threads
};

} // namespace pillar
