#include "time_left.hpp"

#include "pillar/core/log.hpp"
#include "pillar/core/text.hpp"

#include <fmt/core.h>

namespace pillar::evaluate {

namespace {

std::string duration_text(double seconds) {
    if (seconds < 120) return fmt::format("{:.0f} s", seconds);
    if (seconds < 7200) return fmt::format("{:.0f} min", seconds / 60);
    return fmt::format("{:.1f} h", seconds / 3600);
}

} // namespace

void TimeLeft::show() {
    if (++n_done_ != 1 || n_windows_ < 2) return;
    const double seconds = clock_.elapsed_s();
    log::root(log::Level::info, "time     {:.2f} s a window, about {} to go", seconds,
              duration_text(seconds * static_cast<double>(n_windows_ - 1)));
}

void tell_stopped(std::size_t n_done, std::size_t n_windows, bool goes_on) {
    log::root(log::Level::warning, "stopped after {} of {}{}", n_done, counted(n_windows, "window"),
              goes_on ? "; the same command goes on from there"
                      : "; nothing is kept, -o FILE keeps what is done");
}

} // namespace pillar::evaluate
