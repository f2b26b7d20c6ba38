#include "window_loop.hpp"

#include "pillar/comm/agree.hpp"
#include "pillar/comm/exchange.hpp"
#include "pillar/core/log.hpp"
#include "pillar/core/text.hpp"
#include "pillar/core/timing.hpp"

#include <fmt/core.h>

namespace pillar::evaluate {

namespace {

std::string duration_text(double seconds) {
    if (seconds < 120) return fmt::format("{:.0f} s", seconds);
    if (seconds < 7200) return fmt::format("{:.0f} min", seconds / 60);
    return fmt::format("{:.1f} h", seconds / 3600);
}

} // namespace

std::size_t go_through_windows(comm::Communicator& comm, engine::Loop& loop, WindowRange range,
                               const WindowWork& work) {
    const Stopwatch clock;
    for (std::size_t window = range.begin; window < range.end; ++window) {
        comm::agree(comm, [&] {
            if (comm.is_root()) work.begin(window);
        });
        const bool is_stopped = loop.run(work.scoring);
        const bool is_whole =
            comm::broadcast_from_root(comm, work.scoring != nullptr && work.scoring->is_complete());
        if (is_whole) work.end(window);
        if (is_stopped) return window + (is_whole ? 1 : 0);
        if (window == range.begin && window + 1 < range.end)
            log::root(log::Level::info, "time     {:.2f} s a window, about {} to go",
                      clock.elapsed_s(),
                      duration_text(clock.elapsed_s() *
                                    static_cast<double>(range.end - range.begin - 1)));
    }
    return range.end;
}

void tell_stopped(std::size_t n_done, std::size_t n_windows, bool is_kept) {
    log::root(log::Level::warning, "stopped after {} of {}{}", n_done, counted(n_windows, "window"),
              is_kept ? "; the same command goes on from there"
                      : "; nothing is kept, -o FILE keeps what is done");
}

} // namespace pillar::evaluate
