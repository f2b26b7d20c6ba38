#include "progress.hpp"

#include <algorithm>
#include <cstdio>
#include <fmt/format.h>

namespace pillar::cli {

std::string human_bytes(double n_bytes) {
    constexpr const char* units[] = {"B", "kB", "MB", "GB", "TB"};
    std::size_t unit = 0;
    while (n_bytes >= 999.5 && unit + 1 < std::size(units)) {
        n_bytes /= 1000.0;
        ++unit;
    }
    if (unit == 0) return fmt::format("{:.0f} B", n_bytes);
    return fmt::format("{:.{}f} {}", n_bytes,
                       n_bytes < 9.995   ? 2
                       : n_bytes < 99.95 ? 1
                                         : 0,
                       units[unit]);
}

ProgressBar::ProgressBar(std::string title, std::uint64_t total, bool visible)
    : title_(std::move(title)), total_(total), visible_(visible && total > 0) {}

ProgressBar::~ProgressBar() {
    if (drawn_) fmt::print(stderr, "\r\x1b[K");
}

void ProgressBar::show(std::uint64_t done) {
    const double now_s = clock_.elapsed_s();
    if (!visible_ || now_s < 0.3 || now_s - last_s_ < 0.1) return;
    last_s_ = now_s;
    drawn_ = true;
    constexpr int width = 30;
    const double share = std::min(1.0, static_cast<double>(done) / static_cast<double>(total_));
    const double rate = static_cast<double>(done) / now_s;
    const double left_s =
        rate > 0 ? static_cast<double>(total_ - std::min(done, total_)) / rate : 0;
    const auto filled = static_cast<std::size_t>(share * width);
    fmt::print(stderr, "\r{} [{}{}] {:3.0f} %  {}/s  {:.0f} s left\x1b[K", title_,
               std::string(filled, '#'), std::string(width - filled, ' '), share * 100,
               human_bytes(rate), left_s);
    std::fflush(stderr);
}

} // namespace pillar::cli
