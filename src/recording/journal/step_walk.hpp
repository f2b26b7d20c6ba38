#pragma once
// One rank's records of a block, taken step by step.

#include "journal/records.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace pillar::recording {

/// One rank's part of a step. No head: the rank's record is missing.
struct RankStep {
    const StepHead* head = nullptr;
    std::span<const float> gap_s{};
    std::span<const float> length_s{};
    std::span<const std::uint32_t> bytes{};
    std::span<const std::uint8_t> kind{};
    std::span<const float> barrier_s{}; ///< (its threads)
};

class RankWalk {
  public:
    explicit RankWalk(const RankSteps* steps) : steps_(steps) {}

    /// The record of step number `step`, none when this rank has not got it.
    RankStep take(std::uint64_t step) {
        while (steps_ != nullptr && next_ < steps_->heads.size()) {
            const StepHead& head = steps_->heads[next_];
            if (head.counts.step > step) break;
            const std::size_t first = first_collective_;
            const std::size_t first_thread = first_thread_;
            const auto n = static_cast<std::size_t>(head.n_collectives);
            const auto n_threads = static_cast<std::size_t>(head.n_threads);
            ++next_;
            first_collective_ += n;
            first_thread_ += n_threads;
            if (head.counts.step < step) continue;
            const CollectiveColumns& all = steps_->collectives;
            return {&head,
                    std::span(all.gap_s).subspan(first, n),
                    std::span(all.length_s).subspan(first, n),
                    std::span(all.bytes).subspan(first, n),
                    std::span(all.kind).subspan(first, n),
                    std::span(steps_->barrier_s).subspan(first_thread, n_threads)};
        }
        return {};
    }

  private:
    const RankSteps* steps_;
    std::size_t next_ = 0;
    std::size_t first_collective_ = 0;
    std::size_t first_thread_ = 0;
};

} // namespace pillar::recording
