#pragma once
// A progress bar on stderr for what takes longer than a moment: on a terminal only, with rate and
// time left; removed when done. Elsewhere nothing: logs stay clean.

#include "pillar/core/stopwatch.hpp"

#include <cstdint>
#include <string>

namespace pillar::cli {

class ProgressBar {
  public:
    /// `total` in bytes. Draws only when `visible` and after 0.3 s.
    ProgressBar(std::string title, std::uint64_t total, bool visible);
    ~ProgressBar();
    ProgressBar(const ProgressBar&) = delete;
    ProgressBar& operator=(const ProgressBar&) = delete;
    void show(std::uint64_t done);

  private:
    std::string title_;
    std::uint64_t total_;
    bool visible_;
    bool drawn_ = false;
    Stopwatch clock_;
    double last_s_ = 0;
};

/// "98.4 MB", "1.21 GB": decimal units, three digits.
std::string human_bytes(double n_bytes);

} // namespace pillar::cli
