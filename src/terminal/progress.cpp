#include "pillar/terminal/progress.hpp"

#include "pillar/core/log.hpp"
#include "pillar/core/text.hpp"
#include "pillar/terminal/streams.hpp"

#include <algorithm>
#include <fmt/core.h>

namespace pillar::terminal {

ProgressStyle usual_progress() {
    if (log::level() < log::Level::info) return ProgressStyle::none;
    return on_terminal() ? ProgressStyle::bar : ProgressStyle::lines;
}

std::string progress_text(std::uint64_t done, std::uint64_t total, double elapsed_s) {
    const double rate = elapsed_s > 0 ? static_cast<double>(done) / elapsed_s : 0;
    const std::string left =
        rate > 0 ? fmt::format("{:.0f} s left",
                               static_cast<double>(total - std::min(done, total)) / rate)
                 : "nothing has come yet";
    return fmt::format("{} of {}, {}/s, {}", human_bytes(static_cast<double>(done)),
                       human_bytes(static_cast<double>(total)), human_bytes(rate), left);
}

namespace {

constexpr double bar_after_s = 2, bar_every_s = 0.1;
constexpr double line_every_s = 10;

} // namespace

ProgressBar::ProgressBar(std::string title, std::uint64_t total, ProgressStyle style)
    : title_(std::move(title)), total_(total), style_(total > 0 ? style : ProgressStyle::none),
      next_s_(style == ProgressStyle::bar ? bar_after_s : line_every_s) {}

ProgressBar::~ProgressBar() {
    if (drawn_) log::text("\r\x1b[K");
}

void ProgressBar::show(std::uint64_t done) {
    const double now_s = clock_.elapsed_s();
    if (style_ == ProgressStyle::none || now_s < next_s_) return;
    const std::string text = progress_text(done, total_, now_s);
    if (style_ == ProgressStyle::lines) {
        next_s_ = now_s + line_every_s;
        log::root(log::Level::info, "{:<8} {}", title_, text);
        return;
    }
    next_s_ = now_s + bar_every_s;
    drawn_ = true;
    constexpr int width = 30;
    const double share = std::min(1.0, static_cast<double>(done) / static_cast<double>(total_));
    const auto filled = static_cast<std::size_t>(share * width);
    log::text(fmt::format("\r{} [{}{}] {:3.0f} %  {}\x1b[K", title_, std::string(filled, '#'),
                          std::string(width - filled, ' '), share * 100, text));
}

} // namespace pillar::terminal
