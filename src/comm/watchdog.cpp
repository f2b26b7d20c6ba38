// Limit, question, grace, verdict.

#include "watchdog.hpp"

#include "pillar/comm/environment.hpp"
#include "pillar/core/log.hpp"
#include "pillar/core/stopwatch.hpp"

#include <cmath>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace pillar::comm {

namespace {

constexpr double attend_interval_s = 0.05;
/// The lowest rank that is alive tells the sentence; another one does so should that one fail.
constexpr double second_speaker_after_s = 2;
/// The backstop comes after everything that the main thread can do itself.
constexpr double backstop_after_s = 5;
/// So often all ranks may answer that they wait, before that is taken for a fault of the program.
constexpr int most_vain_calls = 3;
/// layer.cpp: after the attention's output and after the feed-forward block.
constexpr std::uint32_t allreduces_per_layer = 2;

std::string describe(const Place& place) {
    if (place.is_busy) return "busy";
    if (!place.is_step || place.step == 0)
        return place.step == 0 ? "before the first step" : "between two steps";
    switch (place.kind) {
    case CollectiveKind::broadcast:
        return fmt::format("before step {}", place.step);
    case CollectiveKind::gather:
        return fmt::format("at the end of step {}", place.step - 1);
    case CollectiveKind::allreduce:
        break;
    }
    return fmt::format("in layer {} of step {}", (place.n_allreduces - 1) / allreduces_per_layer,
                       place.step - 1);
}

} // namespace

Watchdog::Watchdog(const Channel& names, const WatchLimits& limits)
    : names_(names), limit_(limits), step_limit_s_(limits.step_s), roll_(names.handle()),
      backstop_([this] {
          return fmt::format("{} waits inside MPI {} and does not come back: is another process "
                             "stopped, its disk or network dead?",
                             names_.name_of(names_.rank()), describe(place(false)));
      }) {}

Place Watchdog::place(bool is_busy) const noexcept {
    return {.step = step_.load(std::memory_order_relaxed),
            .n_allreduces = n_allreduces_.load(std::memory_order_relaxed),
            .kind = kind_.load(std::memory_order_relaxed),
            .is_step = is_inside_,
            .is_busy = is_busy};
}

double Watchdog::limit_s() const noexcept {
    return in_steps_ ? limit_.of_steps_s() : limit_.of_setup_s();
}

void Watchdog::enter(CollectiveKind kind, double now_s) noexcept {
    is_inside_ = true;
    kind_.store(kind, std::memory_order_relaxed);
    if (kind == CollectiveKind::allreduce) {
        n_allreduces_.store(n_allreduces_.load(std::memory_order_relaxed) + 1,
                            std::memory_order_relaxed);
    }
    const double limit = limit_s();
    backstop_.arm(now_s + limit + TimeLimit::grace_s(limit) + backstop_after_s);
}

void Watchdog::leave(double now_s) noexcept {
    backstop_.disarm();
    is_inside_ = false;
    const CollectiveKind kind = kind_.load(std::memory_order_relaxed);
    if (kind == CollectiveKind::broadcast) {
        step_began_s_ = now_s;
        step_.store(step_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
        n_allreduces_.store(0, std::memory_order_relaxed);
    } else if (kind == CollectiveKind::gather) {
        limit_.note_step(now_s - step_began_s_);
    }
}

void Watchdog::attend() noexcept {
    const double now_s = monotonic_s();
    if (now_s - last_attended_s_ < attend_interval_s) return;
    last_attended_s_ = now_s;
    roll_.listen(place(true));
}

void Watchdog::poll(double since_s) noexcept {
    const double now_s = monotonic_s();
    roll_.listen(place(false));
    const double limit = limit_s();
    if (is_inside_) backstop_.arm(now_s + limit + TimeLimit::grace_s(limit) + backstop_after_s);
    if (since_s != wait_began_s_) {
        wait_began_s_ = since_s;
        asked_s_ = ask_again_s_ = 0;
        n_vain_calls_ = 0;
    }
    if (now_s - since_s <= limit || now_s < ask_again_s_) return;
    call_the_roll(now_s);
}

void Watchdog::call_the_roll(double now_s) noexcept {
    if (asked_s_ == 0) {
        asked_s_ = now_s;
        roll_.ask(place(false));
        return;
    }
    const double grace = TimeLimit::grace_s(limit_s());
    if (!roll_.all_have_answered() && now_s - asked_s_ < grace) return;
    draw_conclusions(now_s);
}

std::vector<int> Watchdog::silent_ranks() const {
    std::vector<int> silent;
    for (int rank = 0; rank < roll_.size(); ++rank) {
        if (!roll_.has_answered(rank)) silent.push_back(rank);
    }
    return silent;
}

void Watchdog::draw_conclusions(double now_s) noexcept {
    const double limit = limit_s();
    const double grace = TimeLimit::grace_s(limit);
    if (roll_.all_have_answered()) {
        bool is_somebody_busy = false;
        for (int rank = 0; rank < roll_.size(); ++rank) {
            is_somebody_busy = is_somebody_busy || roll_.place(rank).is_busy;
        }
        n_vain_calls_ = is_somebody_busy ? 0 : n_vain_calls_ + 1;
        if (n_vain_calls_ >= most_vain_calls) {
            log::error("{}", name_places());
            abort_job(ExitCode::internal);
        }
        asked_s_ = 0;
        ask_again_s_ = now_s + limit;
        return;
    }
    const std::vector<int> silent = silent_ranks();
    int speaker = 0;
    while (!roll_.has_answered(speaker)) ++speaker;
    const double late_s = now_s - asked_s_ - grace;
    if (speaker != roll_.rank() && late_s < second_speaker_after_s) return;
    log::error("{}", name_silent(silent, limit + grace));
    abort_job(ExitCode::peer_lost);
}

std::string Watchdog::name_silent(const std::vector<int>& silent, double waited_s) const {
    std::vector<std::string> names;
    for (const int rank : silent) names.push_back(names_.name_of(rank));
    const bool is_alone = roll_.size() > 2 && static_cast<int>(silent.size()) + 1 == roll_.size();
    const std::string limit =
        step_limit_s_ > 0 && in_steps_ ? fmt::format(" (--timeout {:g})", step_limit_s_) : "";
    return fmt::format(
        "{} {} been silent for {:.3g} s while {} waited {}{}: {}", fmt::join(names, ", "),
        silent.size() == 1 ? "has" : "have", waited_s, names_.name_of(roll_.rank()),
        describe(place(false)), limit,
        is_alone ? "is this node cut off from the network?"
                 : "is the process stopped, its node overloaded, its disk or network dead?");
}

std::string Watchdog::name_places() const {
    std::vector<std::string> names;
    for (int rank = 0; rank < roll_.size(); ++rank) {
        names.push_back(fmt::format("{} {}", names_.name_of(rank), describe(roll_.place(rank))));
    }
    return fmt::format("all ranks answer but none goes on: {}", fmt::join(names, "; "));
}

} // namespace pillar::comm
