// Limit, question, grace, verdict.

#include "watchdog.hpp"

#include "dead_links.hpp"

#include "pillar/comm/environment.hpp"
#include "pillar/core/log.hpp"
#include "pillar/core/text.hpp"
#include "pillar/core/timing.hpp"

#include <algorithm>
#include <fmt/core.h>

namespace pillar::comm {

namespace {

constexpr double heartbeat_interval_s = 0.05;
/// The lowest rank that is alive tells the sentence; another one does so should that one fail.
constexpr double second_reporter_after_s = 2;
/// A slow rank is told of once in a while, not at every step.
constexpr double between_warnings_s = 60;
/// After the warning, silent ranks are asked again so often whether they are there.
constexpr double between_questions_s = 2;
/// A node whose kernel has acknowledged nothing for so long is cut off: that is no matter of
/// waiting longer for its process.
constexpr double cut_off_after_s = 10;
/// Where rank 0 is out of reach, the launcher's daemon goes first: its life signs fail after 18 s
/// (jobs/config/mca-params.conf), and it ends its ranks and itself. A rank that ended earlier would
/// have it report that, and TCP asks for life signs on idle connections only: the daemon would stay
/// for a quarter of an hour.
constexpr double daemon_is_gone_after_s = 25;
/// The hard timeout comes after everything that the main thread can do itself.
constexpr double hard_timeout_after_s = 5;
/// So often all ranks may answer that they wait, before that is taken for a fault of the program.
constexpr int max_vain_probes = 3;

std::string for_whom(const Progress& progress) {
    return progress.waits_for < 0 ? std::string() : fmt::format(" for rank {}", progress.waits_for);
}

} // namespace

Watchdog::Watchdog(LivenessProbe& probe, const Channel* channel, const WatchLimits& limits)
    : probe_(probe), channel_(channel), limit_(limits),
      hard_timeout_([this, own_name = probe.name_of(probe.rank())] {
          return fmt::format("{} waits inside MPI {} and does not come back: is another process "
                             "stopped, its disk or network dead?",
                             own_name, describe(progress(false)));
      }) {}

Progress Watchdog::progress(bool is_busy) const noexcept {
    return {.step = step_.load(std::memory_order_relaxed),
            .n_allreduces = n_allreduces_.load(std::memory_order_relaxed),
            .allreduces_a_layer = allreduces_a_layer_.load(std::memory_order_relaxed),
            .kind = kind_.load(std::memory_order_relaxed),
            .stage = stage_.load(std::memory_order_relaxed),
            .is_step = is_inside_.load(std::memory_order_relaxed),
            .is_busy = is_busy};
}

Progress Watchdog::waiting_progress() const noexcept {
    Progress here = progress(false);
    if (channel_ != nullptr) here.waits_for = channel_->waits_for();
    return here;
}

double Watchdog::limit_s() const noexcept {
    switch (stage_.load(std::memory_order_relaxed)) {
    case Stage::start:
        return limit_.of_start_s();
    case Stage::steps:
        return limit_.of_steps_s();
    case Stage::setup:
    case Stage::end:
        break;
    }
    return limit_.of_setup_s();
}

void Watchdog::enter(CollectiveKind kind, double now_s) noexcept {
    is_inside_.store(true, std::memory_order_relaxed);
    kind_.store(kind, std::memory_order_relaxed);
    if (kind == CollectiveKind::allreduce) {
        n_allreduces_.store(n_allreduces_.load(std::memory_order_relaxed) + 1,
                            std::memory_order_relaxed);
    }
    const double limit = limit_s();
    hard_timeout_.arm(now_s + limit + TimeLimit::grace_s(limit) + hard_timeout_after_s);
}

void Watchdog::leave(double now_s) noexcept {
    hard_timeout_.disarm();
    is_inside_.store(false, std::memory_order_relaxed);
    const CollectiveKind kind = kind_.load(std::memory_order_relaxed);
    if (kind == CollectiveKind::broadcast) {
        step_began_s_ = now_s;
        step_.store(step_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
        n_allreduces_.store(0, std::memory_order_relaxed);
    } else if (kind == CollectiveKind::gather) {
        limit_.note_step(now_s - step_began_s_);
    }
}

void Watchdog::heartbeat() noexcept {
    const double now_s = monotonic_s();
    if (now_s - last_heartbeat_s_ < heartbeat_interval_s) return;
    last_heartbeat_s_ = now_s;
    probe_.listen(progress(true));
}

void Watchdog::poll(double since_s) noexcept {
    const double now_s = monotonic_s();
    probe_.listen(waiting_progress());
    const double limit = limit_s();
    if (is_inside_.load(std::memory_order_relaxed))
        hard_timeout_.arm(now_s + limit + TimeLimit::grace_s(limit) + hard_timeout_after_s);
    if (since_s != wait_began_s_) {
        wait_began_s_ = since_s;
        ask_s_ = since_s + std::min(limit, TimeLimit::warning_s(limit));
        has_asked_ = false;
        n_vain_probes_ = 0;
    }
    if (now_s >= ask_s_) probe_all(now_s, limit);
}

void Watchdog::probe_all(double now_s, double limit) noexcept {
    if (!has_asked_) {
        has_asked_ = true;
        ask_s_ = now_s;
        probe_.ask(waiting_progress());
        return;
    }
    const bool is_final = ask_s_ >= wait_began_s_ + limit;
    const double grace = is_final ? TimeLimit::grace_s(limit) : TimeLimit::min_grace_s;
    const double late_s = now_s - ask_s_ - grace;
    if (!probe_.all_have_answered() && late_s < 0) return;
    if (!probe_.all_have_answered() && !is_first_alive() && late_s < second_reporter_after_s)
        return;
    const bool is_silent = !probe_.all_have_answered();
    draw_conclusions(is_silent ? is_lost(is_final) : is_final, now_s);
    has_asked_ = false;
    ask_s_ = is_final ? now_s + limit : wait_began_s_ + limit;
    if (is_silent) ask_s_ = std::min(ask_s_, now_s + between_questions_s);
}

bool Watchdog::is_lost(bool is_final) const noexcept {
    const double unacknowledged_s = max_unacknowledged_s();
    if (probe_.has_answered(0)) return is_final || unacknowledged_s >= cut_off_after_s;
    return unacknowledged_s > 0 ? unacknowledged_s >= daemon_is_gone_after_s : is_final;
}

bool Watchdog::is_first_alive() const noexcept {
    for (int rank = 0; rank < probe_.rank(); ++rank) {
        if (probe_.has_answered(rank)) return false;
    }
    return true;
}

void Watchdog::draw_conclusions(bool is_final, double now_s) noexcept {
    if (!probe_.all_have_answered()) {
        const std::string sentence = name_silent(now_s - wait_began_s_);
        if (is_final) {
            log::error("{}", sentence);
            abort_job(ExitCode::peer_lost);
        }
        // Not without rank 0, where lines are read: if this node is cut off, a line on its way
        // there would keep the launcher's daemon from noticing, as above.
        if (is_first_alive() && probe_.has_answered(0) && now_s >= warn_again_s_) {
            log::warning("{}", sentence);
            warn_again_s_ = now_s + between_warnings_s;
        }
        return;
    }
    if (!is_final) return;
    bool is_somebody_busy = false;
    for (int rank = 0; rank < probe_.size(); ++rank) {
        is_somebody_busy = is_somebody_busy || probe_.progress(rank).is_busy;
    }
    n_vain_probes_ = is_somebody_busy ? 0 : n_vain_probes_ + 1;
    if (n_vain_probes_ >= max_vain_probes) {
        log::error("{}", name_progress());
        abort_job(ExitCode::internal);
    }
}

std::string Watchdog::name_silent(double waited_s) const {
    std::vector<std::string> names;
    for (int rank = 0; rank < probe_.size(); ++rank) {
        if (!probe_.has_answered(rank)) names.push_back(probe_.name_of(rank));
    }
    const Progress here = waiting_progress();
    const bool is_for_it =
        names.size() == 1 && here.waits_for >= 0 && !probe_.has_answered(here.waits_for);
    const bool is_alone = probe_.size() > 2 && static_cast<int>(names.size()) + 1 == probe_.size();
    return fmt::format(
        "{} {} been silent for {:.0f} s while {} waited{} {}: {}", joined(names, ", "),
        names.size() == 1 ? "has" : "have", waited_s, probe_.name_of(probe_.rank()),
        is_for_it ? " for it" : for_whom(here), describe(here),
        is_alone ? "is this node cut off from the network?"
                 : "is the process stopped, its node overloaded, its disk or network dead?");
}

std::string Watchdog::name_progress() const {
    std::vector<std::string> names;
    for (int rank = 0; rank < probe_.size(); ++rank) {
        const Progress& there = probe_.progress(rank);
        names.push_back(
            fmt::format("{} waits{} {}", probe_.name_of(rank), for_whom(there), describe(there)));
    }
    return fmt::format("all ranks answer but none goes on: {}", joined(names, "; "));
}

} // namespace pillar::comm
