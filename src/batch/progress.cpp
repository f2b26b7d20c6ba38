#include "progress.hpp"

#include "pillar/core/log.hpp"
#include "pillar/core/text.hpp"

#include <fmt/core.h>

namespace pillar::batch {

namespace {

std::string duration(double seconds) {
    if (seconds < 90) return fmt::format("{:.0f} s", seconds);
    if (seconds < 90 * 60) return fmt::format("{:.0f} min", seconds / 60);
    return fmt::format("{:.1f} h", seconds / 3600);
}

} // namespace

std::string progress_line(const Work::Counts& lines, const engine::BatchCounts& sequences,
                          std::optional<std::uint64_t> n_lines, double elapsed_s) {
    const std::uint64_t n_settled = lines.n_found + lines.n_done;
    std::string text = n_lines ? fmt::format("{} of {} done", n_settled, counted(*n_lines, "line"))
                               : fmt::format("{} done", counted(n_settled, "line"));
    text += fmt::format(", {} running", sequences.n_started - sequences.n_finished);
    if (elapsed_s > 0)
        text += fmt::format(", {:.1f} tokens/s",
                            static_cast<double>(sequences.n_generated) / elapsed_s);
    if (n_lines && lines.n_done > 0 && *n_lines > n_settled)
        text += fmt::format(", {} left", duration(elapsed_s / static_cast<double>(lines.n_done) *
                                                  static_cast<double>(*n_lines - n_settled)));
    return text;
}

void Progress::show(const Work::Counts& lines, const engine::BatchCounts& sequences) {
    const double elapsed_s = clock_.elapsed_s();
    if (elapsed_s < next_s_) return;
    next_s_ = elapsed_s + interval_s_;
    log::root(log::Level::info, "batch    {}",
              progress_line(lines, sequences, n_lines_, elapsed_s));
}

} // namespace pillar::batch
