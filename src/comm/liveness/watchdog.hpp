#pragma once
// Ends the job when a rank stays silent: stopped, swapping, behind a dead disk or a cut cable. A
// rank whose own wait passes the limit asks all others (liveness_probe.hpp); those that poll or
// heartbeat() answer, saying where they are; whoever does not answer is named. In a normal step
// nothing is sent and nothing is asked.

#include "hard_timeout.hpp"
#include "liveness_probe.hpp"
#include "mpi/channel.hpp"
#include "time_limit.hpp"

#include <atomic>
#include <cstdint>
#include <string>

namespace pillar::comm {

class Watchdog {
  public:
    /// Local. `probe` must outlive it, and so must `channel`, where there is one: whose messages
    /// are waited for.
    Watchdog(LivenessProbe& probe, const Channel* channel, const WatchLimits& limits);

    /// This rank arrives at a step collective, and has its result.
    void enter(CollectiveKind kind, double now_s) noexcept;
    void leave(double now_s) noexcept;
    /// Whose limits hold from now on.
    void set_stage(Stage stage) noexcept { stage_.store(stage, std::memory_order_relaxed); }
    void set_allreduces_a_layer(std::uint32_t n) noexcept {
        allreduces_a_layer_.store(n, std::memory_order_relaxed);
    }

    /// During a wait for others that began at `since_s`. Ends the job when it is in vain.
    void poll(double since_s) noexcept;
    /// Busy with something else: answer those who ask.
    void heartbeat() noexcept;
    /// Questions and answers since the last call of this.
    Traffic take_sent() noexcept { return probe_.take_sent(); }

  private:
    [[nodiscard]] Progress progress(bool is_busy) const noexcept;
    /// With the rank that this one waits for. Main thread only: asks MPI.
    [[nodiscard]] Progress waiting_progress() const noexcept;
    [[nodiscard]] double limit_s() const noexcept;
    void probe_all(double now_s, double limit) noexcept;
    void draw_conclusions(bool is_final, double now_s) noexcept;
    /// Whether those who do not answer are given up now.
    [[nodiscard]] bool is_lost(bool is_final) const noexcept;
    /// Of those that have answered, the lowest rank reports.
    [[nodiscard]] bool is_first_alive() const noexcept;
    [[nodiscard]] std::string name_silent(double waited_s) const;
    [[nodiscard]] std::string name_progress() const;

    LivenessProbe& probe_;
    const Channel* channel_;
    TimeLimit limit_;

    // Where this rank is; the hard timeout's thread reads it for its sentence.
    std::atomic<std::uint64_t> step_{0};
    std::atomic<std::uint32_t> n_allreduces_{0};
    std::atomic<std::uint32_t> allreduces_a_layer_{2};
    std::atomic<Stage> stage_{Stage::start};
    std::atomic<CollectiveKind> kind_{CollectiveKind::broadcast};
    std::atomic<bool> is_inside_{false};
    double step_began_s_ = 0;

    // The wait that lasts, and its liveness probes: the first for a warning, the others to end the
    // job.
    double wait_began_s_ = 0;
    double ask_s_ = 0; ///< when to ask next; once asked, when that was
    bool has_asked_ = false;
    double warn_again_s_ = 0;
    int n_vain_probes_ = 0; ///< in a row to which all have answered and nobody was busy
    double last_heartbeat_s_ = 0;

    HardTimeout hard_timeout_; ///< last: its thread uses the rest
};

} // namespace pillar::comm
