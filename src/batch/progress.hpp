#pragma once
// How far a batch is: a line of the log every 30 s, every 5 s where a person looks on.

#include "work.hpp"

#include "pillar/core/timing.hpp"

#include <optional>
#include <string>

namespace pillar::batch {

/// "37 of 200 lines done, 8 running, 41.3 tokens/s, 2 min left"
std::string progress_line(const Work::Counts& lines, const engine::BatchCounts& sequences,
                          std::optional<std::uint64_t> n_lines, double elapsed_s);

class Progress {
  public:
    /// `n_lines`: of the shard, where that is known.
    Progress(std::optional<std::uint64_t> n_lines, double interval_s)
        : n_lines_(n_lines), interval_s_(interval_s) {}
    /// Between two steps.
    void show(const Work::Counts& lines, const engine::BatchCounts& sequences);

  private:
    std::optional<std::uint64_t> n_lines_;
    double interval_s_;
    Stopwatch clock_;
    double next_s_ = 2;
};

} // namespace pillar::batch
