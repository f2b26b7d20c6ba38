#pragma once
// What is shown on stderr of work that takes longer than a moment. On a terminal a bar with rate
// and time left, after two seconds, removed when done; elsewhere a plain line of the log every ten
// seconds.

#include "pillar/core/timing.hpp"

#include <cstdint>
#include <string>

namespace pillar::terminal {

enum class ProgressStyle { none, lines, bar };
/// A bar on a terminal, else lines; nothing where the log has no infos.
ProgressStyle usual_progress();

class ProgressBar {
  public:
    /// `total` in bytes.
    ProgressBar(std::string title, std::uint64_t total, ProgressStyle style);
    ~ProgressBar();
    ProgressBar(const ProgressBar&) = delete;
    ProgressBar& operator=(const ProgressBar&) = delete;
    void show(std::uint64_t done);

  private:
    std::string title_;
    std::uint64_t total_;
    ProgressStyle style_;
    bool drawn_ = false;
    Stopwatch clock_;
    double next_s_;
};

/// "1.20 GB of 4.00 GB, 100 MB/s, 28 s left"
std::string progress_text(std::uint64_t done, std::uint64_t total, double elapsed_s);

} // namespace pillar::terminal
